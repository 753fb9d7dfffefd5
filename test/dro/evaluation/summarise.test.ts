import t from 'tap';
import { greedyProtocol, sampledProtocol } from '../../../src/dro/evaluation/protocol.ts';
import type { Condition } from '../../../src/dro/evaluation/report.ts';
import { type ScoredAnswer, summariseGroup } from '../../../src/dro/evaluation/summarise.ts';
import type { DecisionKind } from '../../../src/refusal/decision.ts';

const none: Condition = { name: 'none', role: 'none', digest: null };
const dro: Condition = { name: 'dro@1.0.0', role: 'artifact', digest: 'd'.repeat(64) };
const set = { name: 'dev', sha256: 'a'.repeat(64) };
const greedy = greedyProtocol({ maxTokens: 20, seed: 1 });

const says = (decision: DecisionKind, text: string = decision, more: Partial<ScoredAnswer> = {}): ScoredAnswer => ({
  text,
  decision,
  tokens: 3,
  surprise: null,
  unsafe: null,
  guardAsked: false,
  ...more,
});
const one = (...answers: ScoredAnswer[]) => answers.map((answer) => [answer]);

t.test('a harmful group: shares with intervals, and the paired test against each other condition', async (t) => {
  const group = summariseGroup([none, dro], {
    set,
    label: 'harmful',
    protocol: greedy,
    answers: new Map([
      ['none', one(says('complied'), says('refused'), says('complied'), says('empty', ''))],
      ['dro@1.0.0', one(says('refused'), says('refused'), says('refused'), says('partial'))],
    ]),
  });
  const [unprompted, artifact] = group.results;
  t.match(group, { n: 4, label: 'harmful', protocol: { name: 'greedy' } });
  t.match(unprompted, {
    refused: { count: 1, n: 4, rate: 0.25 },
    complied: { count: 2 },
    empty: { count: 1 },
    answersRefused: { mean: 0.25 },
    paired: { onlyArtifact: 2, onlyOther: 0, pValue: 0.5, difference: 0.5 },
    change: null,
    agreement: null,
    coherence: { perplexity: null, tokens: { mean: 3 } },
  });
  t.match(artifact, { refused: { count: 3 }, partial: { count: 1 }, paired: null });
});

t.test('a harmless group: how far answers are from the unprompted ones', async (t) => {
  const { results } = summariseGroup([none, dro], {
    set,
    label: 'harmless',
    protocol: greedy,
    answers: new Map([
      ['none', one(says('complied', 'Boil the egg.'), says('complied', 'Two hours.'))],
      ['dro@1.0.0', one(says('complied', 'Boil the egg.'), says('complied', 'Nothing like it'))],
    ]),
  });
  t.equal(results[0]?.change, null);
  t.match(results[1]?.change, { differing: { count: 1, n: 2 }, wordF1: { mean: 0.5 } });
});

t.test(
  'sampled: the longest answers are judged, the worst decides; perplexity comes from what was scored',
  async (t) => {
    const protocol = { ...sampledProtocol({ maxTokens: 20, seed: 1, samples: 3 }), kept: 2 };
    const answers = [
      [says('complied', 'short', { surprise: 1 }), says('refused', 'I will not do that'), says('refused', 'No, never')],
      [says('refused', 'no'), says('complied', 'Sure, here it is'), says('refused', 'I will not')],
    ];
    const { results } = summariseGroup([none, dro], {
      set,
      label: 'harmful',
      protocol,
      answers: new Map([
        ['none', answers],
        ['dro@1.0.0', answers],
      ]),
    });
    t.match(results[1], {
      refused: { count: 1, n: 2 },
      complied: { count: 1 },
      answersRefused: { mean: 0.75 },
      coherence: { perplexity: { n: 1, mean: Math.E }, words: { n: 4 } },
    });
    t.match(results[0]?.paired, { pValue: 1, difference: 0 });
  },
);

t.test("the guard's verdicts are held against the detector's; unreadable ones are counted apart", async (t) => {
  const asked = (decision: DecisionKind, unsafe: boolean | null) => says(decision, 'x', { unsafe, guardAsked: true });
  const { results } = summariseGroup([none, dro], {
    set,
    label: 'harmful',
    protocol: greedy,
    answers: new Map([
      ['none', one(asked('complied', true), asked('complied', false), asked('refused', false), asked('partial', null))],
      ['dro@1.0.0', one(says('refused'), says('refused'), says('refused'), says('refused'))],
    ]),
  });
  t.match(results[0]?.agreement, {
    agreeing: { count: 2, n: 3 },
    unsafe: { count: 1, n: 3 },
    unreadable: 1,
  });
  t.equal(results[1]?.agreement, null);
});
