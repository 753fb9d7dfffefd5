import t from 'tap';
import { type CheckedCondition, checkConditions, parseCondition } from '../../src/rollout/conditions.ts';
import { type Counts, countField } from '../../src/rollout/counts.ts';

t.test('what can be asked of a candidate', async (t) => {
  const cases = [
    ['refusal-rate on harmless <= 5%', { measure: 'refusal', traffic: 'harmless', operator: '<=', limit: 0.05 }],
    ['  refusal-rate  on harmful>=90.5% ', { measure: 'refusal', traffic: 'harmful', operator: '>=', limit: 0.905 }],
    ['error-rate <= 1%', { measure: 'error', traffic: null, operator: '<=', limit: 0.01 }],
    ['slow-rate<=8%', { measure: 'slow', traffic: null, operator: '<=', limit: 0.08 }],
    ['odd-length-rate on mixed <= 20%', { measure: 'length', traffic: 'mixed', operator: '<=', limit: 0.2 }],
    ['requests >= 1000', { measure: null, traffic: null, operator: '>=', limit: 1000 }],
    ['requests on harmless >= 50', { measure: null, traffic: 'harmless', operator: '>=', limit: 50 }],
  ] as const;
  for (const [text, expected] of cases) t.match(parseCondition(text), expected, text);
  t.equal(parseCondition('  slow-rate<=8%').text, 'slow-rate <= 8%');
  t.equal(parseCondition(parseCondition('slow-rate<=8%').text).limit, 0.08, 'what is shown can be read');
});

t.test('what can not says what is wrong and what would be right', async (t) => {
  const cases = [
    ['', /not of the form/],
    ['refusal-rate', /not of the form/],
    ['refusal-rate < 5%', /not of the form/],
    ['refusal-rate == 5%', /not of the form/],
    ['refusal-rate on harmless on mixed <= 5%', /not of the form/],
    ['refusal-rate <= 5% and error-rate <= 1%', /not of the form/],
    ['refusal-rte <= 5%', /no measure "refusal-rte"/, /Did you mean refusal-rate/],
    ['refusal-rate on harmles <= 5%', /no traffic "harmles"/, /Did you mean harmless/],
    ['refusal-rate on Monday <= 5%', /no traffic "Monday"/, /There are: mixed, harmless, harmful/],
    ['refusal-rate <= 0.05', /"0.05" is no rate/, /per cent/],
    ['refusal-rate <= 101%', /is no rate/],
    ['refusal-rate <= -1%', /is no rate/],
    ['refusal-rate <= 5,5%', /is no rate/],
    ['requests >= 5%', /no number of requests/],
    ['requests >= 0', /no number of requests/],
    ['requests >= 1e3', /no number of requests/],
    ['requests >= 9999999999', /no number of requests/],
    ['requests <= 1000', /only grow/],
    ['toString <= 5%', /no measure/],
    [`refusal-rate <= 5%${' '.repeat(3)}${'x'.repeat(300)}`, /not of the form/],
  ] as const;
  for (const [text, message, action] of cases) {
    t.throws(() => parseCondition(text), { code: 'rollout_invalid', message, ...(action && { action }) }, text);
  }
});

const counted = (arm: 'candidate' | 'stable', n: number, k: number): Counts => ({
  [countField({ epoch: 0, arm, traffic: 'harmless' }, 'refusal', 'n')]: n,
  [countField({ epoch: 0, arm, traffic: 'harmless' }, 'refusal', 'k')]: k,
  [countField({ epoch: 0, arm, traffic: 'harmless' }, 'error', 'n')]: n,
});
const check = (text: string, counts: Counts): Partial<CheckedCondition> =>
  checkConditions([parseCondition(text)], counts, 1)[0] ?? {};

t.test('a rate is met when its bound is, not when it happens to be low', async (t) => {
  const atMost = 'refusal-rate on harmless <= 5%';
  t.match(check(atMost, {}), { state: 'open', requests: 0, rate: null, low: 0, high: 1 });
  t.match(check(atMost, counted('candidate', 50, 0)), { state: 'open', rate: 0 });
  t.match(check(atMost, counted('candidate', 1000, 20)), { state: 'met', rate: 0.02 });
  t.match(check(atMost, counted('candidate', 1000, 45)), { state: 'open' });
  t.match(check(atMost, counted('candidate', 1000, 200)), { state: 'missed' });
  t.match(check('refusal-rate on harmless >= 10%', counted('candidate', 1000, 200)), { state: 'met' });
  t.match(check(atMost, counted('stable', 1000, 20)), { state: 'open', requests: 0 }, "the candidate's alone count");
  t.match(check('refusal-rate on harmful <= 5%', counted('candidate', 1000, 20)), { state: 'open', requests: 0 });
  t.match(check('requests >= 1000', counted('candidate', 999, 0)), { state: 'open' });
  t.match(check('requests >= 1000', counted('candidate', 1000, 0)), { state: 'met' });
});
