import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { renderTrainingReport } from '../../../src/dro/report/render-training-report.ts';
import type { TrainingReport } from '../../../src/dro/report/report-data.ts';
import { find, parseMarkup, textOf } from '../../helpers/parse-markup.ts';
import { sampleReport } from './sample-report.ts';

const parse = (report: TrainingReport) => parseMarkup(renderTrainingReport(report).replace('<!DOCTYPE html>', ''));

t.test('every part has its section, and the links lead there', async (t) => {
  const page = parse(sampleReport());
  const ids = find(page, 'section').map((section) => section.getAttribute('id'));
  t.strictSame(ids, ['prompt', 'model', 'hyperparameters', 'curve', 'anchors', 'evaluation', 'frontier', 'examples']);
  t.strictSame(
    find(page, 'a').map((link) => link.getAttribute('href')),
    ids.map((id) => `#${id}`),
  );
  t.equal(find(page, 'svg').length, 8, 'four pictures, each for wide and for narrow pages');
  const all = [...page.getElementsByTagName('*')]
    .map((element) => element.getAttribute('id'))
    .filter((id) => id !== null);
  t.equal(new Set(all).size, all.length, 'no id stands twice');
});

t.test('what was not done has no section', async (t) => {
  const page = parse({
    ...sampleReport(),
    training: null,
    anchors: null,
    evaluations: [],
    frontier: null,
    examples: [],
  });
  t.strictSame(
    find(page, 'section').map((section) => section.getAttribute('id')),
    ['prompt', 'model', 'hyperparameters'],
  );
});

t.test('only its own style sheet applies, nothing is fetched and nothing runs', async (t) => {
  const html = renderTrainingReport(sampleReport());
  const page = parse(sampleReport());
  const digest = createHash('sha256')
    .update(textOf(find(page, 'style')[0]))
    .digest('base64');
  const policy = find(page, 'meta').find((meta) => meta.getAttribute('http-equiv') === 'Content-Security-Policy');
  t.equal(
    policy?.getAttribute('content'),
    `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`,
  );
  t.equal(textOf(find(page, 'style')[0]), /<style>([^<]*)<\/style>/.exec(html)?.[1], 'the digest is that of the bytes');
  t.strictSame([...new Set(html.match(/https?:[^"' ]*/g))], ['http://www.w3.org/2000/svg']);
  t.notMatch(html, / style=| on[a-z]+=|<script|<img|<link|url\(|@import/i);
});

t.test('the evaluation stands in a table, with intervals and further measures', async (t) => {
  const [table] = find(parse(sampleReport()), 'section').flatMap((section) =>
    section.getAttribute('id') === 'evaluation' ? find(section, 'table') : [],
  );
  if (table === undefined) throw new Error('a table');
  t.strictSame(find(table, 'th').slice(0, 7).map(textOf), [
    'Condition',
    'Harmful answered',
    'n',
    'Harmless refused',
    'n',
    'Repetition',
    'Perplexity',
  ]);
  const [highlighted] = find(table, 'tr', 'highlighted');
  t.equal(textOf(highlighted && find(highlighted, 'td')[0]), '12.0% (7.0 to 19.8)');
  t.equal(textOf(highlighted && find(highlighted, 'th')[0]), 'DRO (smollm2-safety 1.0.0)');
});

t.test('ten queries are shown, with what was decided about them', async (t) => {
  const [table] = find(parse(sampleReport()), 'section').flatMap((section) =>
    section.getAttribute('id') === 'examples' ? find(section, 'table') : [],
  );
  const rows = table === undefined ? [] : find(table, 'tr').slice(1);
  t.equal(rows.length, 10);
  t.equal(rows.filter((row) => textOf(row).endsWith('unwanted')).length, 3);
});

t.test('hostile texts stay texts, in every place', async (t) => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constant('</td></style><script src="x">&<!--'),
  );
  const sample = sampleReport();
  const expected = parse(sample).getElementsByTagName('*').length;
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(hostile, (text) => {
        const page = parse({
          ...sample,
          name: text,
          prompt: { ...sample.prompt, 'Started from': text },
          evaluations: sample.evaluations.map((evaluation) => ({ ...evaluation, set: text, protocol: text })),
          examples: sample.examples.map((example) => ({ ...example, query: text })),
        });
        return page.getElementsByTagName('*').length === expected && find(page, 'script').length === 0;
      }),
      { numRuns: 20 },
    ),
  );
});
