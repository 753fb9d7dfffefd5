import t from 'tap';
import { noPrompt } from '../../../src/dro/answers/prompt-under-test.ts';
import { openServerSource } from '../../../src/dro/answers/server-source.ts';
import { evaluatePrompt } from '../../../src/dro/evaluation/evaluate.ts';
import { createGuard } from '../../../src/dro/evaluation/guard.ts';
import { greedyProtocol } from '../../../src/dro/evaluation/protocol.ts';
import { parseQueries } from '../../../src/dro/queries/parse-queries.ts';
import { PreambleError } from '../../../src/errors.ts';
import { never } from '../../helpers/default-engine.ts';
import { beginEvents, chunkEvent, doneEvent, lastChunk, sendJson, startFakeVllm } from '../../helpers/fake-vllm.ts';

const { queries } = parseQueries('a?\nb?\nc?\nd?\n', { format: 'text', path: 'own', name: 'own', label: 'harmful' });
const once = { tries: 2, firstWaitMs: 1 };
const asked = {
  artifact: { label: 'tiny/kind@1.0.0', digest: 'a'.repeat(64) },
  model: 'tiny',
  conditions: [{ name: 'none', role: 'none', digest: null, prompt: noPrompt }] as const,
  groups: [{ set: { name: 'own', sha256: 'a'.repeat(64) }, label: 'harmful', queries }] as const,
  protocols: [greedyProtocol({ maxTokens: 8, seed: 0 })],
  unprompted: null,
};

t.test('a server that goes away in the middle ends the evaluation with its address', async (t) => {
  const server = await startFakeVllm(t);
  server.script = (response) => {
    if (server.received.length > 2) return void server.stop();
    beginEvents(response).end(chunkEvent('Good day.') + lastChunk + doneEvent);
  };
  const source = await openServerSource({ urls: [server.origin], model: 'org/model', concurrency: 1, ...once }, never);
  t.teardown(source.close);
  const progress: number[] = [];
  const run = evaluatePrompt({
    ...asked,
    source,
    guard: null,
    signal: never,
    onProgress: (_, done) => progress.push(done),
  });
  await t.rejects(run, { code: /^upstream_/, message: /\(http:\/\/127\.0\.0\.1:\d+, tried 2 times\)\.$/ });
  t.strictSame(progress, [1, 2]);
});

t.test(
  'so does a judge; what it says that is no verdict is counted apart; a stop ends it with its reason',
  async (t) => {
    const [server, judge] = [await startFakeVllm(t), await startFakeVllm(t)];
    const source = await openServerSource({ urls: [server.origin], model: 'org/model', ...once }, never);
    t.teardown(source.close);
    const guard = createGuard({ url: judge.origin, model: 'org/model', ...once });
    t.teardown(guard.close);

    // It says "Good day.", which is no verdict.
    const { report } = await evaluatePrompt({ ...asked, source, guard, signal: never });
    t.match(report.groups[0]?.results[0]?.agreement, { unreadable: 4, agreeing: { n: 0 }, kappa: null });

    judge.script = (response) => sendJson(response, 200, { nothing: 'of the kind' });
    await t.rejects(evaluatePrompt({ ...asked, source, guard, signal: never }), { code: 'upstream_invalid' });
    await judge.stop();
    await t.rejects(evaluatePrompt({ ...asked, source, guard, signal: never }), { message: /tried 2 times/ });

    const stopped = new PreambleError('cancelled', 'The evaluation was stopped.');
    const controller = new AbortController();
    const run = evaluatePrompt({
      ...asked,
      source,
      guard: null,
      signal: controller.signal,
      onProgress: () => controller.abort(stopped),
    });
    await t.rejects(run, { code: 'cancelled' });
  },
);
