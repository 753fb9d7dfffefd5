import { createStopMatcher } from './stop-strings.ts';

/** Turns ids into text a piece at a time, never half a character. */
export interface TextDecoder {
  push(tokenId: number): string;
  flush(): string;
}

export type TextDecoderFactory = () => TextDecoder;

export interface AssembledText {
  text: string;
  /** A stop string was met: the answer ends before it. */
  stopped: boolean;
}

/** The readable answer: decoded, cut before the first stop string, without the token that ends it. */
export interface TextAssembler {
  push(tokenId: number): AssembledText;
  /** What was still held back when the answer ended. */
  end(): AssembledText;
}

export function createTextAssembler(decoders: TextDecoderFactory, stop: readonly string[]): TextAssembler {
  const decoder = decoders();
  const matcher = createStopMatcher(stop);
  return {
    push: (tokenId) => matcher.push(decoder.push(tokenId)),
    end() {
      const matched = matcher.push(decoder.flush());
      return matched.stopped ? matched : { text: matched.text + matcher.flush(), stopped: false };
    },
  };
}
