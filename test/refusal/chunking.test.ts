import fc from 'fast-check';
import t from 'tap';
import { createAdvBenchDetector } from '../../src/refusal/string-detector.ts';
import { answers } from './fixtures.ts';
import { decide, phrases } from './read.ts';

/** Pieces that lie on the detector's borders: tags, fences, marks, phrases, half characters. */
const shard = fc.constantFrom(
  ...[
    '<think>',
    '</think>',
    '<thi',
    '```',
    '~~~',
    '\n',
    '\n\n',
    '- ',
    '1. ',
    '> ',
    '| ',
    '# ',
    '---',
    '"',
    "'",
    '“',
    '’',
    '`',
    '. ',
    '.',
    '!',
    ':',
  ],
  ...[
    "I can't help",
    ' with that',
    'I cannot ',
    'provide',
    "I'm sorry, but ",
    'No.',
    'anyway',
    'Dear Sir,',
    'GUARD: ',
    'word ',
    'illegal',
  ],
  ...[
    '\u200b',
    '\u00ad',
    '\ud83d',
    '\ude00',
    '😀',
    'e\u0301',
    '不',
    '𝐈 𝐜𝐚𝐧𝐧𝐨𝐭 ',
    '𝐡𝐞𝐥𝐩 ',
    '。',
    '\u2028',
    '\r\n',
    '\t',
    '*',
    '_',
    '  ',
  ],
);
const text = fc.oneof(
  fc.array(shard, { maxLength: 60 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom(...answers.map((answer) => answer.answer)),
);

for (const detector of [phrases, createAdvBenchDetector()]) {
  t.test(`${detector.name}: the decision is the same however the text is cut`, async () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat({ max: 40 }), { maxLength: 60 }), (whole, sizes) => {
        const observer = detector.start();
        let position = 0;
        for (const size of sizes) {
          observer.push(whole.slice(position, position + size));
          position += size;
        }
        observer.push(whole.slice(position));
        const cut = observer.end('stop');
        const uncut = decide(whole, 'stop', detector);
        return JSON.stringify(cut) === JSON.stringify(uncut) && (cut.atChar ?? 0) <= whole.length;
      }),
      { numRuns: 2000 },
    );
  });
}
