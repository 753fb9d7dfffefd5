import fc from 'fast-check';
import t from 'tap';
import { choiceSeed, philox4x32, uniformAt } from '../../../src/engine/sampling/random.ts';

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

t.test('Philox4x32-10 gives the known answers of Random123 (kat_vectors)', async (t) => {
  t.equal(hex(philox4x32([0, 0, 0, 0], [0, 0])), '6627e8d5 e169c58d bc57ac4c 9b00dbd8');
  const ones = 0xffffffff;
  t.equal(hex(philox4x32([ones, ones, ones, ones], [ones, ones])), '408f276d 41c83b0e a20bc7c6 6d5451fd');
  const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const;
  t.equal(hex(philox4x32(pi, [0xa4093822, 0x299f31d0])), 'd16cfe09 94fdcceb 5001e420 24126ea1');
});

t.test('draws are uniform in [0, 1) over positions and over seeds', async (t) => {
  for (const draw of [
    (i: number) => uniformAt(42, i),
    (i: number) => uniformAt(i, 0),
    (i: number) => uniformAt(-i * 2 ** 20, 7),
  ]) {
    const bins = new Array<number>(50).fill(0);
    const draws = 100_000;
    for (let i = 1; i <= draws; i++)
      bins[Math.floor(draw(i) * 50)] = (bins[Math.floor(draw(i) * 50)] ?? Number.NaN) + 1;
    const chiSquare = bins.reduce((sum, n) => sum + (n - draws / 50) ** 2 / (draws / 50), 0);
    // 49 degrees of freedom: 0.001 of samples lie above 85.4, 0.001 under 23.9
    t.ok(chiSquare < 85.4 && chiSquare > 23.9, `chi-square ${chiSquare}`);
  }
});

t.test('every exact integer is a seed of its own, high bits and sign included', async (t) => {
  const seeds = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(seeds, seeds, fc.nat(), (a, b, position) => {
        fc.pre(a !== b);
        return uniformAt(a, position) !== uniformAt(b, position);
      }),
    ),
  );
  t.doesNotThrow(() => fc.assert(fc.property(fc.nat(), (seed) => uniformAt(seed, 0) !== uniformAt(seed + 2 ** 40, 0))));
});

t.test('choices of one request get seeds of their own, the first the request’s', async (t) => {
  const seeds = Array.from({ length: 128 }, (_, choice) => choiceSeed(7, choice));
  t.equal(seeds[0], 7);
  t.equal(new Set(seeds).size, 128);
  t.ok(seeds.every((seed) => Number.isSafeInteger(seed)));
});
