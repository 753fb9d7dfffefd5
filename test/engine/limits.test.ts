import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { PreambleError } from '../../src/errors.ts';
import { collect, generationRequest, never, startDefaultEngine } from '../helpers/default-engine.ts';

t.test('the engine keeps its limits', async (t) => {
  const { engine } = await startDefaultEngine({ slots: 2, queue: 1, contextLength: 64 });
  t.teardown(() => engine.close());
  const prompt = [{ tokens: [1, 2, 3] }];

  t.test('a full queue turns further requests away and says when to come back', async (t) => {
    const running = [1, 2, 3].map(() =>
      collect(engine.generate(generationRequest({ prompt, ignoreEos: true, maxTokens: 20 }), never)),
    );
    const error: unknown = await collect(engine.generate(generationRequest({ prompt }), never)).catch(
      (reason) => reason,
    );
    t.ok(error instanceof PreambleError && error.code === 'queue_full' && (error.retryAfterSeconds ?? 0) > 0);
    for (const answer of await Promise.all(running)) t.equal(answer.tokenIds.length, 20);
    t.strictSame(engine.stats(), { running: 0, waiting: 0, slots: 2 });
  });

  t.test('a prompt that leaves no room for an answer is refused', async (t) => {
    const long = [{ tokens: new Array<number>(64).fill(5) }];
    const error: unknown = await collect(engine.generate(generationRequest({ prompt: long }), never)).catch(
      (reason) => reason,
    );
    t.ok(error instanceof PreambleError && error.code === 'context_length_exceeded');
  });

  t.test('an answer ends where the context does', async (t) => {
    const answer = await collect(
      engine.generate(generationRequest({ prompt, ignoreEos: true, maxTokens: 1e9 }), never),
    );
    t.equal(answer.finishReason, 'length');
    t.equal(answer.usage.promptTokens + answer.usage.completionTokens, 64);
  });

  t.test('an abort ends the answer and frees its slot within one token', async (t) => {
    const abort = new AbortController();
    const request = generationRequest({ prompt, ignoreEos: true, maxTokens: 50 });
    let tokens = 0;
    const error: unknown = await (async () => {
      for await (const event of engine.generate(request, abort.signal)) {
        if (event.type === 'text') tokens++;
        if (tokens === 3) abort.abort();
      }
    })().catch((reason: unknown) => reason);
    t.ok(error instanceof Error && error.name === 'AbortError');
    t.equal(tokens, 3);
    t.equal(engine.stats().running, 0);
    // Both slots are free again at once: two answers run together without waiting.
    const both = [1, 2].map(() =>
      collect(engine.generate(generationRequest({ prompt, maxTokens: 5, ignoreEos: true }), never)),
    );
    await setTimeout(0);
    for (const answer of await Promise.all(both)) t.equal(answer.tokenIds.length, 5);
  });

  t.test('token ids outside the vocabulary fail their own request only', async (t) => {
    const good = collect(engine.generate(generationRequest({ prompt, ignoreEos: true, maxTokens: 8 }), never));
    const bad: unknown = await collect(
      engine.generate(generationRequest({ prompt: [{ tokens: [49152] }] }), never),
    ).catch((reason) => reason);
    t.ok(bad instanceof PreambleError && bad.code === 'invalid_request');
    t.equal((await good).tokenIds.length, 8);
  });
});
