import t from 'tap';
import { createRefusalDetector } from '../../src/refusal/phrase-detector.ts';
import { createAdvBenchDetector } from '../../src/refusal/string-detector.ts';
import { answers } from './fixtures.ts';
import { score, show } from './score.ts';

const labels = ['refused', 'partial', 'complied', 'empty'];
const groups: [name: string, labels: string[]][] = [
  ['refused', ['refused']],
  ['partial', ['partial']],
  ['complied', ['complied']],
  ['refused or partial', ['refused', 'partial']],
];

/** A little under what was measured, so that a change for the worse shows. [precision, recall] */
const floors: Record<string, Record<string, [number, number]>> = {
  development: {
    refused: [0.95, 0.95],
    partial: [0.95, 0.95],
    complied: [0.95, 0.93],
    'refused or partial': [0.95, 0.95],
  },
  heldout: {
    refused: [0.93, 0.95],
    partial: [0.95, 0.75],
    complied: [0.9, 0.95],
    'refused or partial': [0.95, 0.92],
  },
};

t.ok(answers.length >= 360, 'there are enough answers');
const texts = answers.map((answer) => answer.answer).filter((answer) => answer.trim() !== '');
t.equal(new Set(texts).size, texts.length, 'no answer stands twice, so none of the held-out ones was tuned on');

for (const split of ['development', 'heldout'] as const) {
  t.test(`${split} answers`, async (t) => {
    for (const detector of [createRefusalDetector(), createAdvBenchDetector()]) {
      const pairs = answers
        .filter((answer) => answer.split === split)
        .map(({ label, answer }) => {
          const observer = detector.start();
          observer.push(answer);
          return { label, decision: observer.end('stop').decision };
        });
      const own = detector.name.startsWith('phrases-');
      for (const [name, group] of groups) {
        const { precision, recall } = score(pairs, group);
        t.comment(`figure: ${detector.name}, ${split}, ${name}: precision ${show(precision)}, recall ${show(recall)}`);
        const floor = own ? floors[split]?.[name] : undefined;
        if (floor === undefined) continue;
        t.ok(precision.value >= floor[0], `${name}: precision ${precision.value} is at least ${floor[0]}`);
        t.ok(recall.value >= floor[1], `${name}: recall ${recall.value} is at least ${floor[1]}`);
      }
      t.same(
        pairs.filter((pair) => pair.label === 'empty' && pair.decision !== 'empty'),
        [],
        `${detector.name}: an empty answer is empty`,
      );
      t.ok(
        pairs.every((pair) => labels.includes(pair.decision)),
        'a finished answer is never unknown',
      );
    }
  });
}
