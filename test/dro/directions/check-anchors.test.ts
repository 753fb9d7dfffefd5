import t from 'tap';
import type { AnchorStates } from '../../../src/dro/directions/check-anchors.ts';
import { fitDirections } from '../../../src/dro/directions/fit-directions.ts';
import { describe, PreambleError } from '../../../src/errors.ts';
import { plantedAnchors } from '../support/planted.ts';

function refused(anchors: AnchorStates, options: { components?: number; folds?: number } = {}): [string, string] {
  try {
    fitDirections(anchors, { seed: 1, ...options });
  } catch (error) {
    if (error instanceof PreambleError) return [error.code, describe(error)];
    throw error;
  }
  return ['', 'nothing was thrown'];
}

t.test('a model that hardly ever refuses has no refusal direction: what was seen, and the remedy', async (t) => {
  const [code, message] = refused(plantedAnchors({ fraction: ({ harmful, set }) => (harmful && set === 2 ? 0.1 : 0) }));
  t.equal(code, 'no_refusal_direction');
  t.match(message, /hardly ever refuses: 1\.7% of the answers to 40 queries under 3 prompts refuse, at least 5% must/);
  t.match(message, /--start vpt/);
  t.notMatch(message, /\n/);
});

t.test('nor has one that refuses nearly everything', async (t) => {
  const [code, message] = refused(plantedAnchors({ fraction: () => 0.98 }));
  t.equal(code, 'no_refusal_direction');
  t.match(message, /refuses nearly everything: 98% .* at most 95% may.*--start vpt/);
});

t.test('nor one that refuses all queries equally often', async (t) => {
  const [code, message] = refused(plantedAnchors({ fraction: () => 0.5 }));
  t.equal(code, 'no_refusal_direction');
  t.match(message, /refused equally often/);
});

t.test('one that refuses some is enough', async (t) => {
  const anchors = plantedAnchors({ fraction: ({ harmful, set }) => (harmful && set === 2 ? 0.4 : 0) });
  t.same(refused(anchors), ['', 'nothing was thrown'], '6.7% of the answers');
});

const changed = (change: (anchors: AnchorStates) => Partial<AnchorStates>): AnchorStates => {
  const anchors = plantedAnchors();
  return { ...anchors, ...change(anchors) };
};
const firstSet = (change: (set: AnchorStates['sets'][number]) => Partial<AnchorStates['sets'][number]>) =>
  changed(({ sets }) => ({ sets: sets.map((set, index) => (index === 0 ? { ...set, ...change(set) } : set)) }));

const faults: [
  what: string,
  anchors: AnchorStates,
  message: RegExp,
  options?: { components?: number; folds?: number },
][] = [
  ['no set', changed(() => ({ sets: [] })), /no set of states/],
  ['only harmful queries', changed(({ harmful }) => ({ harmful: harmful.map(() => true) })), /None .* is harmless/],
  ['too few harmless ones', plantedAnchors({ queries: 16 }), /8 harmful anchor queries are too few for 10 folds/],
  ['one fold', plantedAnchors(), /1 folds leave nothing to hold out/, { folds: 1 }],
  ['more components than values', plantedAnchors(), /13 components/, { components: 13 }],
  ['states of another size', firstSet(({ states }) => ({ states: states.subarray(1) })), /set 1 of 3 holds 479 values/],
  [
    'a fraction too few',
    firstSet(({ refusalFractions }) => ({ refusalFractions: refusalFractions.subarray(1) })),
    /39 refusal fractions for 40 queries/,
  ],
  [
    'NaN in a state',
    firstSet(({ states }) => ({ states: states.map((value, at) => (at === 30 ? Number.NaN : value)) })),
    /set 1 of 3 has a state that is not finite .* for query 3/,
  ],
  [
    'a fraction that is NaN',
    firstSet(({ refusalFractions }) => ({ refusalFractions: refusalFractions.map(() => Number.NaN) })),
    /refusal fraction NaN for query 1/,
  ],
  [
    'a fraction above one',
    firstSet(({ refusalFractions }) => ({ refusalFractions: refusalFractions.map((_, at) => (at === 4 ? 20 : 0)) })),
    /refusal fraction 20 for query 5/,
  ],
  [
    'the same state everywhere',
    changed(({ sets }) => ({ sets: sets.map((set) => ({ ...set, states: set.states.map(() => 1) })) })),
    /vary in 0 dimensions/,
  ],
];

for (const [what, anchors, expected, options] of faults) {
  t.test(`refused: ${what}`, async (t) => {
    const [code, message] = refused(anchors, options);
    t.equal(code, 'anchors_invalid');
    t.match(message, expected);
  });
}
