import t from 'tap';
import { argmax, exponentiate } from '../../../src/engine/sampling/softmax.ts';

t.test('exponentials are exact to float32', async (t) => {
  let worst = 0;
  for (let x = 0; x > -87; x -= 0.00317) {
    const value = Float32Array.of(x);
    const sum = exponentiate(value, 1, 0, 1);
    const exact = Math.exp(Math.fround(x));
    worst = Math.max(worst, Math.abs(sum / exact - 1));
    if (value[0] !== Math.fround(sum)) t.fail('the value stored is not the one summed');
  }
  t.ok(worst < 1e-11, `largest relative error ${worst}`);
});

t.test('the maximum, the scale and the count are honoured', async (t) => {
  const values = Float32Array.of(3, 1, -Infinity, 3, 99);
  const sum = exponentiate(values, 4, 3, 0.5);
  t.ok(Math.abs(sum - (2 + Math.exp(-1))) < 1e-10);
  t.strictSame([...values], [1, Math.fround(Math.exp(-1)), 0, 1, 99]);
});

t.test('the largest value wins, the lowest index among equals', async (t) => {
  t.equal(argmax(Float32Array.of(1, 5, 5, 2)), 1);
  t.equal(argmax(Float32Array.of(-Infinity, -3)), 1);
});

for (const [name, logits] of [
  ['NaN', [1, Number.NaN, 2]],
  ['NaN first', [Number.NaN, 1]],
  ['infinity', [1, Infinity]],
  ['nothing finite', [-Infinity, -Infinity]],
] as const) {
  t.test(`logits with ${name} are refused`, async (t) => {
    t.throws(() => argmax(Float32Array.from(logits)), { name: 'PreambleError', code: 'internal' });
  });
}
