import type { Decoder } from './decoder/decoder.ts';
import type { FinishReason, GeneratedToken, PromptSegment } from './generation.ts';
import type { WorkerRequest } from './messages.ts';
import { createSampler, type Sampler } from './sampling/sampler.ts';

/** One request in the batch: what of its prompt is still to be read, and what it has said. */
export interface Sequence {
  readonly id: string;
  readonly request: WorkerRequest;
  readonly promptTokens: number;
  readonly promptTokenIds: readonly number[];
  readonly generated: number[];
  readonly sampler: Sampler;
}

export function createSequence(request: WorkerRequest, decoder: Decoder): Sequence {
  const promptTokenIds = request.prompt.flatMap((segment) => ('tokens' in segment ? segment.tokens : []));
  return {
    id: request.id,
    request,
    promptTokens: countPositions(request.prompt),
    promptTokenIds,
    generated: [],
    sampler: createSampler(request.sampling, decoder.vocabSize, request.topLogprobs),
  };
}

export function countPositions(segments: readonly PromptSegment[]): number {
  return segments.reduce(
    (sum, segment) => sum + ('tokens' in segment ? segment.tokens.length : segment.softPrompt.tokens),
    0,
  );
}

/** The head of the prompt that other requests share: everything up to and with the last soft prompt or segment that says so. */
export function sharedPrefix(segments: readonly PromptSegment[]): readonly PromptSegment[] {
  return segments.slice(0, segments.findLastIndex((segment) => 'softPrompt' in segment || segment.shared === true) + 1);
}

/** `[positions, hiddenSize]` float32 */
export function embedSegments(segments: readonly PromptSegment[], decoder: Decoder): Float32Array {
  const embeddings = new Float32Array(countPositions(segments) * decoder.hiddenSize);
  let at = 0;
  for (const segment of segments) {
    if ('tokens' in segment) {
      decoder.embed(segment.tokens, embeddings, at);
      at += segment.tokens.length;
    } else {
      embeddings.set(segment.softPrompt.values, at * decoder.hiddenSize);
      at += segment.softPrompt.tokens;
    }
  }
  return embeddings;
}

/** Why the sequence ends with this token, if it does. An end-of-answer token is counted and not said. */
export function finishReasonAfter(sequence: Sequence, token: GeneratedToken, decoder: Decoder): FinishReason | null {
  if (!sequence.request.ignoreEos && decoder.eosTokenIds.has(token.tokenId)) return 'stop';
  const full = sequence.promptTokens + sequence.generated.length >= decoder.contextLength;
  return full || sequence.generated.length >= sequence.request.maxTokens ? 'length' : null;
}
