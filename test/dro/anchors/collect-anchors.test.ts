import { appendFile, readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readAnchorData, writeAnchorData } from '../../../src/dro/anchors/anchor-data.ts';
import type { AnchorEvent } from '../../../src/dro/anchors/anchor-event.ts';
import { type CollectOptions, collectAnchors } from '../../../src/dro/anchors/collect-anchors.ts';
import { loadAnchorModel } from '../../../src/dro/anchors/load-anchor-model.ts';
import { openEngineSource } from '../../../src/dro/answers/engine-source.ts';
import { noPrompt, textPrompt } from '../../../src/dro/answers/prompt-under-test.ts';
import { isQuery, toQuery } from '../../../src/dro/queries/query.ts';
import { never } from '../../helpers/default-engine.ts';
import { tinyChatModel } from '../../helpers/tiny-model.ts';

const queries = ['how are you', 'who is there', 'what is that thing', 'go']
  .map((text, index) =>
    toQuery({ text, label: index % 2 ? 'harmful' : 'harmless' }, index + 1, { id: text, label: undefined }),
  )
  .filter(isQuery);

t.test('what an interrupted run has counted is not asked for again, and the end is the same', async (t) => {
  const directory = t.testdir(await tinyChatModel());
  const model = await loadAnchorModel(directory);
  let started = 0;
  const collect = async (cacheDirectory: string, onEvent: (event: AnchorEvent) => void = () => {}, signal = never) => {
    const options: CollectOptions = {
      model,
      queries,
      prompts: [noPrompt, textPrompt('careful', 'be careful')],
      plan: { samples: 3, temperature: 1, topP: 1, seed: 1, maxTokens: 8, untilDecided: true },
      source: {
        name: 'tiny',
        start: async () => {
          started++;
          const source = await openEngineSource(directory, { weights: 'float32', threads: 1, slots: 1 });
          t.teardown(source.close);
          return source;
        },
      },
      cacheDirectory,
      onEvent,
    };
    return await collectAnchors(options, signal);
  };
  const whole = await collect(join(directory, 'whole'));
  t.equal(whole.sets.length, 2);
  t.equal(whole.sets[0]?.states.length, queries.length * whole.hiddenSize);
  t.notSame(whole.sets[0]?.states, whole.sets[1]?.states);
  t.strictSame(
    whole.counts[0]?.map(({ query, answers }) => [query, answers]),
    queries.map((_, index) => [index, 3]),
  );

  const cache = join(directory, 'cut');
  const abort = new AbortController();
  const stopAfterTwo = (event: AnchorEvent) => {
    if (event.kind === 'query' && event.count.query === 1) abort.abort(new Error('enough'));
  };
  await t.rejects(collect(cache, stopAfterTwo, abort.signal), { message: 'enough' });
  const [folder = ''] = await readdir(cache);
  const log = join(cache, folder, 'answers.jsonl');
  const kept = (await readFile(log, 'utf8')).trimEnd().split('\n').length;
  t.ok(kept >= 2 && kept < queries.length);
  // A line that a crash has torn.
  await appendFile(log, '{"query":3,"answ');

  const events: AnchorEvent[] = [];
  const resumed = await collect(cache, (event) => events.push(event));
  t.match(events[0], { kind: 'begin', states: queries.length, answered: kept });
  t.equal(events.filter(({ kind }) => kind === 'answer').length, (queries.length - kept + queries.length) * 3);
  t.strictSame(resumed, whole);

  started = 0;
  t.strictSame(await collect(cache), whole);
  t.equal(started, 0, 'nothing was left to ask');
  await truncate(join(cache, folder, 'states.safetensors'), 100);
  t.strictSame(await collect(cache), whole, 'a file that is not whole is made again');
});

t.test('anchors are read as they were written', async (t) => {
  const directory = join(t.testdir({}), 'out');
  const sets = [0, 1].map((offset) => ({
    prompt: { label: `p${offset}`, digest: String(offset).repeat(64) },
    states: Float32Array.from({ length: 8 }, (_, index) => index + offset),
    refusalFractions: Float32Array.of(0, 0.25, 0.5, 1),
  }));
  const origin = {
    model: 'org/model',
    embeddingsSha256: 'a'.repeat(64),
    answersFrom: 'engine 8-bit',
    samples: 4,
    temperature: 1,
    topP: 0.9,
    maxTokens: 64,
    seed: 0,
    detector: 'd@1',
  };
  await writeAnchorData(directory, { queries, hiddenSize: 2, sets }, origin);
  t.strictSame(await readAnchorData(directory), { queries, hiddenSize: 2, sets, origin });
  t.strictSame((await readdir(directory)).sort(), ['anchors.json', 'anchors.safetensors']);
  await truncate(join(directory, 'anchors.json'), 10);
  await t.rejects(readAnchorData(directory), { code: 'format_invalid', message: /it is not JSON/ });
  await t.rejects(readAnchorData(join(directory, 'none')), { code: 'file_unreadable' });
});
