import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadAnchorModel } from '../../../src/dro/anchors/load-anchor-model.ts';
import { type OwnAnswerOptions, ownAnswers } from '../../../src/dro/training/own-answers.ts';
import { startTinyEngine, tinyChatModel } from '../../helpers/tiny-model.ts';

const queries = ['how are you', 'what is that', 'who is there'];

/** Asks as a run does, and counts what the engine was asked. */
async function asker(t: Test) {
  const directory = t.testdir(await tinyChatModel());
  const model = await loadAnchorModel(directory);
  const engine = await startTinyEngine(directory);
  t.teardown(() => engine.close());
  const cacheDirectory = join(directory, 'own');
  let asked = 0;
  const counting = {
    ...engine,
    generate: (...args: Parameters<typeof engine.generate>) => {
      asked++;
      return engine.generate(...args);
    },
  };
  return {
    files: () => readdir(cacheDirectory),
    path: (name: string) => join(cacheDirectory, name),
    async ask(options: Partial<OwnAnswerOptions> = {}) {
      asked = 0;
      const all = { maxTokens: 4, alternatives: 3, endToken: 1, cacheDirectory, answeredBy: 'tiny', ...options };
      const answers = await ownAnswers(counting, model, queries, all, new AbortController().signal);
      return { answers, asked };
    },
  };
}

t.test('an answer has its tokens, each with the distribution that it was taken from', async (t) => {
  const { answers } = await (await asker(t)).ask();
  t.equal(answers.length, queries.length);
  for (const { tokens, distributions, refused } of answers) {
    t.equal(refused, false);
    t.equal(tokens.length, 4);
    for (const [at, { ids, probabilities }] of distributions.entries()) {
      t.equal(ids[0], tokens[at], 'greedy: the likeliest token was taken');
      t.ok(Math.abs(probabilities.reduce((sum, value) => sum + value, 0) - 1) < 1e-9);
    }
  }
});

t.test('what was answered is not asked again, by whoever asks the same', async (t) => {
  const { ask } = await asker(t);
  const first = await ask();
  t.equal(first.asked, queries.length);
  const second = await ask();
  t.equal(second.asked, 0);
  t.strictSame(second.answers, first.answers);
});

t.test('other settings or another model are asked anew', async (t) => {
  const { ask, files } = await asker(t);
  await ask();
  for (const change of [{ maxTokens: 5 }, { alternatives: 2 }, { answeredBy: 'another' }]) {
    t.equal((await ask(change)).asked, queries.length);
  }
  t.equal((await files()).length, 4);
});

t.test('a line that a crash tore is asked anew, and the next one stands whole', async (t) => {
  const { ask, files, path } = await asker(t);
  const { answers } = await ask();
  const [name = ''] = await files();
  const [line = ''] = (await readFile(path(name), 'utf8')).split('\n');
  await writeFile(path(name), `${line}\n{"query":1,"ans`);
  const again = await ask();
  t.equal(again.asked, queries.length - 1);
  t.strictSame(again.answers, answers);
  t.equal((await ask()).asked, 0);
});
