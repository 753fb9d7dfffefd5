import t from 'tap';
import { layOutQueries } from '../../../src/dro/anchors/query-layout.ts';

const prompt = { label: 'p@1.0.0', digest: 'a'.repeat(64), tokens: 1, hiddenSize: 2, values: new Float32Array(2) };

t.test('what all begin with stands before, and something is left of each', async (t) => {
  const layout = layOutQueries([[{ tokens: [1, 2, 3, 4] }], [{ tokens: [1, 2, 5] }], [{ tokens: [1, 2, 3] }]]);
  t.strictSame(layout, { before: [1, 2], prompt: null, after: [], rows: [[3, 4], [5], [3]] });
  t.strictSame(layOutQueries([[{ tokens: [1, 2] }], [{ tokens: [1, 2] }]]).rows, [[2], [2]]);
  t.strictSame(layOutQueries([]).rows, []);
});

t.test('a soft prompt divides it', async (t) => {
  const under = (tokens: number[]) => [{ tokens: [1] }, { softPrompt: prompt }, { tokens }];
  t.strictSame(layOutQueries([under([7, 8, 2]), under([7, 9, 2])]), {
    before: [1],
    prompt,
    after: [7],
    rows: [
      [8, 2],
      [9, 2],
    ],
  });
});

t.test('a template that puts the query in front of the prompt is refused', async (t) => {
  const behind = (token: number) => [{ tokens: [token] }, { softPrompt: prompt }, { tokens: [2] }];
  t.throws(() => layOutQueries([behind(1), behind(3)]), { code: 'model_unsupported' });
});
