import type { Engine, GenerationEvent, GenerationRequest } from '../../src/engine/generation.ts';

export interface ScriptedEngine extends Engine {
  /** What it was asked, in order. */
  readonly requests: GenerationRequest[];
  /** From now on answers stop after their first word, until {@link resume}. */
  pause(): void;
  resume(): void;
  /** The next answer ends with this, before or after its first word. */
  fail(error: Error, when: 'before' | 'after'): void;
  /** Resolves when as many answers are under way. */
  running(count: number): Promise<void>;
}

/** Words of every answer, one a token. */
const words = ['Good', ' day', ' to', ' you', '.'];

/** Says the same to everyone at once: for tests of what stands around the model. */
export function scriptedEngine(): ScriptedEngine {
  const requests: GenerationRequest[] = [];
  let paused: PromiseWithResolvers<void> | null = null;
  let failure: { error: Error; at: number } | null = null;
  let running = 0;
  const watchers = new Set<() => void>();
  const count = (change: number) => {
    running += change;
    for (const watcher of watchers) watcher();
  };

  async function* generate(request: GenerationRequest, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    requests.push(request);
    const failing = failure;
    failure = null;
    count(1);
    try {
      const said = words.slice(0, request.maxTokens);
      for (const [index, text] of said.entries()) {
        if (index === failing?.at) throw failing.error;
        if (index === 1 && paused !== null) await Promise.race([paused.promise, aborted(signal)]);
        yield { type: 'text', text, tokens: [{ tokenId: index, logprob: Number.NaN, top: [] }] };
      }
      const promptTokens = request.prompt.reduce(
        (sum, part) => sum + ('tokens' in part ? part.tokens.length : part.softPrompt.tokens),
        0,
      );
      const finishReason = said.length < words.length ? 'length' : 'stop';
      yield { type: 'end', finishReason, usage: { promptTokens, completionTokens: said.length, cachedTokens: 0 } };
    } finally {
      count(-1);
    }
  }

  return {
    contextLength: 8192,
    capacity: 1000,
    requests,
    generate,
    stats: () => ({ running, waiting: 0, slots: 1000 }),
    close: async () => {},
    pause() {
      paused ??= Promise.withResolvers<void>();
    },
    resume() {
      paused?.resolve();
      paused = null;
    },
    fail(error, when) {
      failure = { error, at: when === 'before' ? 0 : 1 };
    },
    running(wanted) {
      return new Promise((resolve) => {
        const look = () => {
          if (running !== wanted) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      });
    },
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(signal.reason);
    if (signal.aborted) fail();
    signal.addEventListener('abort', fail, { once: true });
  });
}
