import type { Engine, GenerationEvent, GenerationRequest } from '../../engine/generation.ts';

export interface ChoiceEvent {
  /** Index of the request that it belongs to. */
  choice: number;
  event: GenerationEvent;
}

/**
 * Runs several generations at once and gives their events as they come. Rejects before the first event if one of them is turned away;
 * leaving the loop, or a failure of one, ends them all.
 */
export async function* generateChoices(
  engine: Engine,
  requests: readonly GenerationRequest[],
  signal: AbortSignal,
): AsyncGenerator<ChoiceEvent> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const streams = requests.map((request) => engine.generate(request, either)[Symbol.asyncIterator]());
  const next = async (choice: number) => ({ choice, result: await streams[choice]?.next() });
  const pending = new Map(streams.map((_, choice) => [choice, next(choice)]));
  try {
    while (pending.size > 0) {
      const { choice, result } = await Promise.race(pending.values());
      if (result === undefined || result.done === true) pending.delete(choice);
      else {
        pending.set(choice, next(choice));
        yield { choice, event: result.value };
      }
    }
  } finally {
    stop.abort();
    // The others end by the abort; their rejections are its echo.
    await Promise.allSettled(pending.values());
  }
}

/** Waits for the first item, so that what goes wrong before it rejects here and not in the middle of a stream. */
export async function primed<Item>(source: AsyncGenerator<Item>): Promise<AsyncIterable<Item>> {
  const first = await source.next();
  return (async function* () {
    try {
      if (!first.done) yield first.value;
      yield* source;
    } finally {
      await source.return(undefined);
    }
  })();
}
