import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { build } from '../helpers/build.ts';
import { scriptedEngine } from '../helpers/scripted-engine.ts';
import { tinyChatModel } from '../helpers/tiny-model.ts';
import { DOCUMENTED_ORIGIN, examplesOf, shapeOf } from './support/examples.ts';
import { readPages } from './support/pages.ts';

const start = promisify(execFile);

/** The whole gateway under the names that the pages use, with an engine that says the same to everyone. */
async function gateway(t: Test) {
  const directory = t.testdir(await tinyChatModel());
  return await build(t, { engine: scriptedEngine(), directory, models: ['smollm2-135m-instruct', 'llama-3-8b'] });
}

t.test('questions in the pages get answers of the shape that is shown', async (t) => {
  const { origin } = await gateway(t);
  let shown = 0;
  for (const page of await readPages()) {
    for (const { curl, answer } of examplesOf(page)) {
      // Nothing but the body: what `-i` prints beside it is for people.
      const line = curl.replaceAll(DOCUMENTED_ORIGIN, origin).replace(/^curl(?: -i)? /, 'curl -sS --fail-with-body ');
      const { stdout } = await start('bash', ['-c', line]);
      if (answer === null) {
        t.ok(stdout.length > 0, `${page.path}: ${curl}`);
        continue;
      }
      shown++;
      t.strictSame(shapeOf(JSON.parse(stdout)), shapeOf(answer), `${page.path}: ${curl}`);
    }
  }
  t.ok(shown > 0, `${shown} answers were compared`);
});

t.test('programs in the pages run, and print what they are answered', async (t) => {
  const { origin, decisions } = await gateway(t);
  const programs = (await readPages()).flatMap(({ blocks }) => blocks.filter(({ language }) => language === 'js'));
  for (const { text } of programs) {
    // Below the repository, so that the library is found.
    const file = join(t.testdirName, 'ask.mjs');
    await writeFile(file, text.replaceAll(DOCUMENTED_ORIGIN, origin));
    const { stdout } = await start(process.execPath, [file]);
    t.equal(stdout, 'Good day to you.\n');
  }
  t.ok(programs.length > 0);
  t.equal(decisions().length, programs.length);
});

t.test('another shape is seen', async (t) => {
  t.notSame(shapeOf({ a: 1 }), shapeOf({ a: '1' }));
  t.notSame(shapeOf({ a: [{ b: 1 }] }), shapeOf({ a: [{ c: 1 }] }));
  const text = `curl ${DOCUMENTED_ORIGIN}/v1/models \\\n  -H 'a: b'`;
  t.strictSame(
    examplesOf({
      blocks: [
        { section: '', language: '', text },
        { section: '', language: '', text: '{"a":1}' },
      ],
    }),
    [{ curl: `curl ${DOCUMENTED_ORIGIN}/v1/models -H 'a: b'`, answer: { a: 1 } }],
  );
});
