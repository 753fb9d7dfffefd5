import { stat } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';
import { readPage, readPages, root } from './support/pages.ts';

/** Folders of the repository: code in a line that begins like a path into one of them is one. What docker/setup.sh makes is not there yet. */
const PATH = /^(?!docker\/local\/)(?:src|test|docs|docker|bench|scripts|prompts\/queries)\/[\w./-]+$/;

t.test('every link leads to a file, and to a heading where it names one', async (t) => {
  let inner = 0;
  for (const page of await readPages()) {
    for (const link of page.links) {
      if (/^[a-z]+:/.test(link)) continue;
      inner++;
      const [target = '', anchor] = link.split('#');
      const path = target === '' ? page.path : normalize(join(dirname(page.path), target));
      t.ok(await exists(path), `${page.path} links to ${link}`);
      if (anchor !== undefined) t.ok((await readPage(path)).anchors.has(anchor), `${page.path}: heading of ${link}`);
    }
  }
  t.ok(inner > 30, `${inner} links were followed`);
});

t.test('every file that is named is there', async (t) => {
  let named = 0;
  for (const { path, spans } of await readPages()) {
    for (const span of spans.filter((text) => PATH.test(text))) {
      named++;
      t.ok(await exists(span), `${path} names ${span}`);
    }
  }
  t.ok(named > 15, `${named} names were looked up`);
});

async function exists(path: string): Promise<boolean> {
  return (await stat(join(root, path)).catch(() => null)) !== null;
}
