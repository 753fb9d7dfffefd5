import t from 'tap';
import { curveOf } from '../../src/dashboard/prompt-page-curve.ts';

const training = { objective: 'both', anchors: [], seed: 1, tool: 'a tool' };

t.test('terms are drawn with their weights; what has none is no term', (t) => {
  const curve = [{ step: 1, loss: 2, refuse: 3, learningRate: 0.1 }];
  const found = curveOf({ ...training, curve, hyperparameters: { 'weight.refuse': 0.5, bestStep: 1 } });
  t.strictSame(found?.data, {
    steps: [{ step: 1, loss: 2, terms: { refuse: 1.5 } }],
    development: [],
    chosenStep: 1,
  });
  t.end();
});

t.test('rates on the dev split have intervals where the number of queries is known', (t) => {
  const rates = { harmfulRefused: 0.86, harmlessRefused: 0.4 };
  const known = { harmfulQueries: 50, harmlessQueries: 50 };
  const curve = [
    { step: 20, ...rates, ...known },
    { step: 40, ...rates },
    { step: 60, ...rates, harmfulRefused: 7 },
  ];
  const [first, second, third] = curveOf({ ...training, curve, hyperparameters: {} })?.data.development ?? [];
  t.match(first?.harmfulRefused, { rate: 0.86, n: 50 });
  t.ok(
    first && Math.abs(first.harmfulRefused.low - 0.7381) < 1e-4 && Math.abs(first.harmfulRefused.high - 0.9305) < 1e-4,
  );
  t.strictSame(second?.harmlessRefused, { rate: 0.4, low: 0.4, high: 0.4, n: 0 });
  t.ok(Number.isNaN(third?.harmfulRefused.rate), 'what is no share is not drawn');
  t.end();
});

t.test('a long curve is drawn by some of its steps', (t) => {
  const curve = Array.from({ length: 30_000 }, (_, step) => ({ step, loss: 1 }));
  const found = curveOf({ ...training, curve, hyperparameters: {} });
  t.equal(found?.stride, 30);
  t.equal(found?.data.steps.length, 1_000);
  t.equal(curveOf({ ...training, curve: [], hyperparameters: {} }), null);
  t.end();
});
