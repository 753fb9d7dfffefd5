import t from 'tap';
import { formatDuration, limitHeaders } from '../../src/limits/headers.ts';

t.test("durations as OpenAI's documentation and answers write them", async (t) => {
  const cases: [ms: number, text: string][] = [
    [0, '0s'],
    [0.2, '1ms'],
    [12, '12ms'],
    [1000, '1s'],
    [8640, '8.64s'],
    [60_000, '1m0s'],
    [90_951, '1m30.951s'],
    [360_000, '6m0s'],
    [3_600_000, '1h0m0s'],
    [90_061_500, '25h1m1.5s'],
  ];
  for (const [ms, text] of cases) t.equal(formatDuration(ms), text);
});

t.test('only for the limits that there are', async (t) => {
  t.same(limitHeaders({}), {});
  t.same(limitHeaders({ tokens: { limit: 100, remaining: 0, resetMs: 1000 } }), {
    'x-ratelimit-limit-tokens': '100',
    'x-ratelimit-remaining-tokens': '0',
    'x-ratelimit-reset-tokens': '1s',
  });
});
