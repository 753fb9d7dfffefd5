import t from 'tap';
import { createRefusalDetector, shippedPhrases } from '../../src/refusal/phrase-detector.ts';
import { parsePhraseTable } from '../../src/refusal/phrase-table.ts';
import { decide } from './read.ts';

const german = {
  language: 'de',
  version: '0.1.0',
  contractions: {},
  classes: { helfen: ['helfen', 'beantworten', 'unterstützen', 'weiterhelfen'] },
  rules: [
    {
      id: 'kann-nicht',
      kind: 'refusal',
      patterns: ['ich kann ..4 nicht ..3 <helfen>', 'dabei kann ich ..2 nicht <helfen>'],
      except: ['ohne'],
    },
  ],
};
const japanese = {
  language: 'ja',
  version: '0.1.0',
  contractions: {},
  classes: {},
  rules: [{ id: 'dekimasen', kind: 'refusal', patterns: ['お手伝いできません'] }],
};

t.test('another language is a table, no code', async (t) => {
  const detector = createRefusalDetector([
    ...shippedPhrases,
    parsePhraseTable(german, 'de'),
    parsePhraseTable(japanese, 'ja'),
  ]);
  t.match(detector.name, /^phrases-en\+de\+ja@/);
  const on = (text: string) => decide(text, 'stop', detector);
  t.match(on('Es tut mir leid, dabei kann ich Ihnen nicht helfen.'), { decision: 'refused', rule: 'de/kann-nicht' });
  t.match(on('Das kann ich gut verstehen.'), { decision: 'complied' });
  t.match(on('Ich kann ohne den Code nicht helfen.'), { decision: 'complied' });
  t.match(on('Ich kann dich leider nicht unterstu\u0308tzen.'), { decision: 'refused' }, 'accents in either form');
  t.match(
    on('申し訳ありませんが、お手伝いできません。'),
    { decision: 'refused', rule: 'ja/dekimasen' },
    'no spaces needed',
  );
  t.match(on("I can't help with that."), { decision: 'refused', rule: 'en/unable-to-assist' }, 'English beside them');
});

t.test('a faulty table is refused with the place at fault', async (t) => {
  const faulty = (change: object) => () =>
    createRefusalDetector([parsePhraseTable({ ...german, ...change }, 'de.json')]);
  const rule = german.rules[0];
  t.throws(faulty({ version: 1 }), { code: 'config_invalid', message: /de\.json: \/version/ });
  t.throws(faulty({ rules: [] }), { code: 'config_invalid', message: /\/rules/ });
  t.throws(faulty({ rules: [{ ...rule, kind: 'sometimes' }] }), {
    code: 'config_invalid',
    message: /\/rules\/0\/kind/,
  });
  t.throws(faulty({ rules: [{ ...rule, regex: '.*' }] }), { code: 'config_invalid' });
  t.throws(faulty({ rules: [rule, rule] }), { code: 'config_invalid', message: /two rules 'kann-nicht'/ });
  t.throws(faulty({ rules: [{ ...rule, patterns: ['ich ('] }] }), {
    code: 'config_invalid',
    message: /'ich \(': it has an empty part/,
  });
  t.throws(faulty({ classes: {} }), { code: 'config_invalid', message: /<helfen> is not defined/ });
  t.throws(() => parsePhraseTable(null, 'null.json'), { code: 'config_invalid', message: /null\.json/ });
});

t.test('patterns that explode are refused, not run', async (t) => {
  const group = `(${Array.from({ length: 40 }, (_, i) => `a b${i}`).join('|')})`;
  const classes = { a: [group], b: Array(100).fill('<a>'), c: Array(100).fill('<b> x') };
  t.throws(
    () =>
      createRefusalDetector([
        parsePhraseTable({ ...german, classes, rules: [{ id: 'x', kind: 'refusal', patterns: ['<c>'] }] }, 'x'),
      ]),
    {
      code: 'config_invalid',
      message: /more than 50000 states/,
    },
  );
});
