import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { createAdvBenchDetector } from '../../src/refusal/string-detector.ts';
import { phrases } from './read.ts';

/** Characters a token, roughly. */
const PIECE = 5;
/** What measured 3 s at worst on two slow cores; quadratic behaviour would take minutes. */
const MAX_SECONDS = 30;

const hostile: Record<string, string> = {
  'the beginning of a refusal again and again': "I can't ",
  'words that many patterns begin with': 'i can not also really the possible wrong here is some legal ',
  'one word without end': 'a',
  'opening tags': '<thin',
  'closing tags': '</think>\n',
  'list items': '- a\n',
  fences: '```\n',
  'quotation marks': '"\'`',
  speakers: 'AB:\n\n',
  'half characters': '\ud83d',
  accents: 'e\u0301\u0301\u0301',
};

function feed(detector: typeof phrases, unit: string, characters: number): number {
  const text = unit.repeat(Math.ceil(characters / unit.length));
  const observer = detector.start();
  const began = performance.now();
  for (let at = 0; at < text.length; at += PIECE) observer.push(text.slice(at, at + PIECE));
  observer.end('stop');
  return (performance.now() - began) / 1000;
}

for (const [name, unit] of Object.entries(hostile)) {
  t.test(`a megabyte of ${name}`, async (t) => {
    for (const detector of [phrases, createAdvBenchDetector()]) {
      const seconds = feed(detector, unit, 1_000_000);
      t.comment(`figure: ${detector.name}, 1 MB of ${name}: ${seconds.toFixed(2)} s`);
      t.ok(seconds < MAX_SECONDS, `${seconds} s`);
    }
  });
}

t.test('memory does not grow with the answer', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const heldAfter = (characters: number): number => {
    const observer = phrases.start();
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < characters; i += 40) observer.push(`${String(i).padStart(9, '0')} words and I can't "help, `);
    collect();
    const held = process.memoryUsage().heapUsed - before;
    observer.end('stop');
    return held;
  };
  heldAfter(100_000);
  const held = heldAfter(4_000_000);
  t.comment(`figure: phrases, held after 4 MB: ${Math.round(held / 1024)} KiB`);
  t.ok(held < 1_000_000, `${held} bytes held`);
});
