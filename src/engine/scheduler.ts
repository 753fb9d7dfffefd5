import type { Decoder } from './decoder/decoder.ts';
import type { PromptSegment } from './generation.ts';
import { createKeyValueCache } from './key-value-cache.ts';
import type { FromWorker, SequenceToken, WorkerRequest } from './messages.ts';
import { createPrefixCache, prefixKey } from './prefix-cache.ts';
import { createSequence, embedSegments, finishReasonAfter, type Sequence, sharedPrefix } from './sequence.ts';
import { toFailure } from './worker-failure.ts';

/**
 * Positions read in one pass of a prompt: long enough to use the cores well, short enough that running answers wait little. The same
 * whoever else is running, since where a prompt is cut shows in its last bits.
 */
const PREFILL_POSITIONS = 128;

export interface Scheduler {
  add(request: WorkerRequest): void;
  cancel(id: string): void;
  /** Resolves when nothing runs any more. */
  close(): Promise<void>;
}

/**
 * Continuous batching: while answers are being decoded together, a waiting request's prompt is read in pieces between their steps, and
 * then it joins them. Rows of the cache are kept dense: decoding sequences first, the one whose prompt is being read behind them.
 */
export function createScheduler(
  decoder: Decoder,
  slots: number,
  emit: (message: FromWorker) => void,
  /** Resolves when the steps so far have been taken, but for a few. */
  pace: () => Promise<void>,
): Scheduler {
  const cache = createKeyValueCache(decoder.shape, slots);
  const prefixes = createPrefixCache();
  const waiting: WorkerRequest[] = [];
  const decoding: Sequence[] = [];
  const cancelled = new Set<string>();
  let reading: string | null = null;
  let loop: Promise<void> | null = null;

  async function run(): Promise<void> {
    while (waiting.length > 0 || decoding.length > 0) {
      await pace();
      dropCancelled();
      const next = decoding.length < slots ? waiting.shift() : undefined;
      if (next !== undefined) await admit(next);
      else await decode();
    }
    loop = null;
  }

  /** Reads a request's prompt, letting the others take a step after each piece. */
  async function admit(request: WorkerRequest): Promise<void> {
    reading = request.id;
    try {
      const sequence = createSequence(request, decoder);
      const logits = await prefill(sequence);
      // It may have been cancelled while its last piece was read, too.
      if (logits === null || cancelled.has(request.id)) cache.clear(decoding.length);
      else join(sequence, logits);
    } catch (error) {
      cache.clear(decoding.length);
      emit({ type: 'failed', id: request.id, error: toFailure(error) });
    } finally {
      reading = null;
      cancelled.delete(request.id);
    }
  }

  /** Logits after the prompt's last position, or null if the request was cancelled meanwhile. */
  async function prefill(sequence: Sequence): Promise<Float32Array | null> {
    const segments = sequence.request.prompt;
    const prefix = sharedPrefix(segments);
    const key = prefix.length > 0 ? prefixKey(prefix) : null;
    const known = key === null ? undefined : prefixes.get(key);
    emit({ type: 'started', id: sequence.id, cachedTokens: known?.length ?? 0 });
    if (known !== undefined) cache.restore(decoding.length, known);
    else if (key !== null) {
      if ((await read(sequence, prefix)) === null) return null;
      prefixes.set(key, cache.snapshot(decoding.length));
    }
    return read(sequence, segments.slice(prefix.length));
  }

  async function read(sequence: Sequence, segments: readonly PromptSegment[]): Promise<Float32Array | null> {
    const embeddings = embedSegments(segments, decoder);
    const total = embeddings.length / decoder.hiddenSize;
    let logits: Float32Array | null = null;
    for (let start = 0; start < total; start += PREFILL_POSITIONS) {
      if (start > 0) await decode();
      if (cancelled.has(sequence.id)) return null;
      const positions = Math.min(PREFILL_POSITIONS, total - start);
      const piece = embeddings.subarray(start * decoder.hiddenSize, (start + positions) * decoder.hiddenSize);
      logits = await decoder.step({ cache, firstRow: decoding.length, batch: 1, positions, embeddings: piece });
    }
    return logits;
  }

  function join(sequence: Sequence, logits: Float32Array): void {
    reading = null;
    const row = decoding.length;
    decoding.push(sequence);
    const token = choose(sequence, logits);
    if (token !== null) emit({ type: 'step', tokens: [token] });
    if (token === null || token.finishReason !== null) leave(row);
  }

  /** One token for every running answer. */
  async function decode(): Promise<void> {
    dropCancelled();
    const batch = decoding.length;
    if (batch === 0) return;
    const embeddings = new Float32Array(batch * decoder.hiddenSize);
    decoding.forEach((sequence, row) => {
      decoder.embed(sequence.generated.slice(-1), embeddings, row);
    });
    try {
      const logits = await decoder.step({ cache, firstRow: 0, batch, positions: 1, embeddings });
      sampleAll(logits, batch);
    } catch (error) {
      for (const sequence of decoding) emit({ type: 'failed', id: sequence.id, error: toFailure(error) });
      while (decoding.length > 0) leave(decoding.length - 1);
    }
  }

  function sampleAll(logits: Float32Array, batch: number): void {
    const tokens: SequenceToken[] = [];
    const finished: number[] = [];
    for (let row = 0; row < batch; row++) {
      const sequence = decoding[row];
      if (sequence === undefined) continue;
      const token = choose(sequence, logits.subarray(row * decoder.vocabSize, (row + 1) * decoder.vocabSize));
      if (token !== null) tokens.push(token);
      if (token === null || token.finishReason !== null) finished.push(row);
    }
    if (tokens.length > 0) emit({ type: 'step', tokens });
    // From the back, so that the row moved into a gap is never one still to be removed.
    for (const row of finished.reverse()) leave(row);
  }

  /** The next token of a sequence; null, and the failure reported, if its logits are unusable. */
  function choose(sequence: Sequence, logits: Float32Array): SequenceToken | null {
    try {
      const token = sequence.sampler.next(logits, sequence.promptTokenIds, sequence.generated);
      sequence.generated.push(token.tokenId);
      return { id: sequence.id, token, finishReason: finishReasonAfter(sequence, token, decoder) };
    } catch (error) {
      emit({ type: 'failed', id: sequence.id, error: toFailure(error) });
      return null;
    }
  }

  /** Frees a row: the last running sequence takes its place, and the prompt being read moves up behind it. */
  function leave(row: number): void {
    const last = decoding.length - 1;
    const moved = decoding.pop();
    if (moved !== undefined && row !== last) {
      decoding[row] = moved;
      cache.move(last, row);
    }
    if (reading !== null) cache.move(last + 1, last);
    else cache.clear(last);
  }

  function dropCancelled(): void {
    for (let row = decoding.length - 1; row >= 0; row--) {
      const id = decoding[row]?.id;
      if (id !== undefined && cancelled.delete(id)) leave(row);
    }
  }

  return {
    add(request) {
      waiting.push(request);
      loop ??= run();
    },
    cancel(id) {
      const index = waiting.findIndex((request) => request.id === id);
      if (index >= 0) waiting.splice(index, 1);
      else if (reading === id || decoding.some((sequence) => sequence.id === id)) cancelled.add(id);
    },
    async close() {
      waiting.length = 0;
      for (const sequence of decoding) cancelled.add(sequence.id);
      if (reading !== null) cancelled.add(reading);
      await loop;
    },
  };
}
