import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { buildTiny } from '../helpers/build.ts';
import { DOCUMENTED_ORIGIN, examplesOf, shapeOf } from './support/examples.ts';
import { readPages } from './support/pages.ts';

const shell = promisify(execFile);

t.test('questions in the pages get answers of the shape that is shown', async (t) => {
  // Under the names that the pages use; the answers' words are the tiny model's own.
  const { origin } = await buildTiny(t, { models: ['smollm2-135m-instruct', 'llama-3-8b'] });
  let shown = 0;
  for (const page of await readPages()) {
    for (const { curl, answer } of examplesOf(page)) {
      // Nothing but the body: what `-i` prints beside it is for people.
      const line = curl.replaceAll(DOCUMENTED_ORIGIN, origin).replace(/^curl(?: -i)? /, 'curl -sS --fail-with-body ');
      const { stdout } = await shell('bash', ['-c', line]);
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
