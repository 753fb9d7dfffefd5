import { PreambleError } from '../errors.ts';
import type { Engine, EngineStats, FinishReason, GenerationEvent, GenerationRequest } from './generation.ts';
import type { WorkerOptions } from './messages.ts';
import { countPositions } from './sequence.ts';
import {
  type AssembledText,
  createTextAssembler,
  type TextAssembler,
  type TextDecoderFactory,
} from './text-assembler.ts';
import { type SequenceEvent, startWorker } from './worker-client.ts';

export interface EngineOptions extends WorkerOptions {
  /** Requests that may wait for a slot before further ones are turned away. */
  queue: number;
}

/** Turned-away clients are asked to come back when about one answer of usual length will have ended. */
const RETRY_AFTER_SECONDS = 2;

/** Starts the engine's thread and loads the model in it. Rejects with the reason if the model can't be served. */
export async function createEngine(options: EngineOptions, decoders: TextDecoderFactory): Promise<Engine> {
  const worker = await startWorker(options);
  const capacity = options.slots + options.queue;
  const stats: EngineStats = { running: 0, waiting: 0, slots: options.slots };

  function admit(request: GenerationRequest): number {
    const promptTokens = countPositions(request.prompt);
    if (promptTokens === 0)
      throw new PreambleError('invalid_request', 'The prompt is empty.', { action: 'Send at least one token.' });
    if (promptTokens >= worker.contextLength) {
      throw new PreambleError(
        'context_length_exceeded',
        `This model's maximum context length is ${worker.contextLength} tokens, and the prompt has ${promptTokens}.`,
        { action: 'Shorten the prompt.' },
      );
    }
    if (stats.running + stats.waiting >= capacity) {
      throw new PreambleError('queue_full', `${stats.waiting} requests are waiting already.`, {
        action: 'Try again later.',
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
    return promptTokens;
  }

  async function* generate(request: GenerationRequest, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    signal.throwIfAborted();
    const promptTokens = admit(request);
    stats.waiting++;
    let started = false;
    let cachedTokens = 0;
    let completionTokens = 0;
    const text = createTextAssembler(decoders, request.stop);
    const { stop: _matchedHere, ...workerRequest } = request;
    const sequence = worker.generate(workerRequest, signal);
    try {
      for await (const event of sequence) {
        if (event.type === 'started') {
          started = true;
          stats.waiting--;
          stats.running++;
          cachedTokens = event.cachedTokens;
          continue;
        }
        completionTokens++;
        const { piece, finishReason } = read(event, text);
        yield piece;
        if (finishReason !== null) {
          yield { type: 'end', finishReason, usage: { promptTokens, completionTokens, cachedTokens } };
          return;
        }
      }
    } finally {
      // Leaving the loop early ends the worker's sequence as well.
      if (started) stats.running--;
      else stats.waiting--;
    }
  }

  return {
    contextLength: worker.contextLength,
    capacity,
    generate,
    stats: () => ({ ...stats }),
    close: worker.close,
  };
}

/** What one token adds to the answer, and whether the answer ends with it: the worker sees ends of answers, only text shows stop strings. */
function read(
  { token, finishReason }: Extract<SequenceEvent, { type: 'token' }>,
  text: TextAssembler,
): { piece: GenerationEvent; finishReason: FinishReason | null } {
  // 'stop' from the worker means that this token is the one that ends an answer: counted, but not part of it.
  const said = finishReason !== 'stop';
  const pushed = said ? text.push(token.tokenId) : NOTHING;
  const rest = finishReason === null || pushed.stopped ? NOTHING : text.end();
  return {
    piece: { type: 'text', text: pushed.text + rest.text, tokens: said ? [token] : [] },
    finishReason: pushed.stopped || rest.stopped ? 'stop' : finishReason,
  };
}

const NOTHING: AssembledText = { text: '', stopped: false };
