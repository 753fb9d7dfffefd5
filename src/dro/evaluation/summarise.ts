import type { QueryLabel } from '../queries/query.ts';
import { countOutcomes, type JudgedAnswer, longestOf, outcomeOf } from './outcome.ts';
import { chrF, wordF1 } from './overlap.ts';
import { longestRun, repeatedShare, wordsOf } from './repetition.ts';
import type {
  Agreement,
  Change,
  Coherence,
  Condition,
  ConditionResult,
  GroupResult,
  PairedTest,
  Protocol,
} from './report.ts';
import {
  cohensKappa,
  countPairs,
  geometricMeanOf,
  mcNemarExact,
  meanOf,
  pairedDifference,
  proportion,
} from './statistics.ts';

/** An answer with what further judges say of it. */
export interface ScoredAnswer extends JudgedAnswer {
  /** Mean negative log-likelihood of its tokens under the unprompted model; null where it was not measured. */
  readonly surprise: number | null;
  /** The guard's verdict; null where it was not asked, or was not understood. */
  readonly unsafe: boolean | null;
  readonly guardAsked: boolean;
}

/** The answers to one group of queries, `[query][sample]` for each condition. */
export interface GroupAnswers {
  readonly set: GroupResult['set'];
  readonly label: QueryLabel;
  readonly protocol: Protocol;
  readonly answers: ReadonlyMap<string, readonly (readonly ScoredAnswer[])[]>;
}

/** Pure: figures and tests of one group. `conditions` are those of the report, with one in the role of the artifact. */
export function summariseGroup(conditions: readonly Condition[], group: GroupAnswers): GroupResult {
  const { set, label, protocol } = group;
  const judged = (name: string) => {
    const all = group.answers.get(name) ?? [];
    const kept = all.map((samples) => longestOf(samples, protocol.kept));
    return { all, kept, outcomes: kept.map((samples) => outcomeOf(label, samples)) };
  };
  const byCondition = new Map(conditions.map(({ name }) => [name, judged(name)]));
  const of = (role: Condition['role']) => {
    const name = conditions.find((condition) => condition.role === role)?.name;
    return name === undefined ? undefined : byCondition.get(name);
  };
  const [none, artifact] = [of('none'), of('artifact')];

  const results = conditions.map(({ name, role }): ConditionResult => {
    const { all, kept, outcomes } = byCondition.get(name) ?? judged(name);
    const counts = countOutcomes(outcomes);
    const share = (kind: keyof typeof counts) => proportion(counts[kind], outcomes.length);
    const changes = label === 'harmless' && role !== 'none' && none !== undefined;
    return {
      condition: name,
      outcomes: counts,
      refused: share('refused'),
      partial: share('partial'),
      complied: share('complied'),
      empty: share('empty'),
      answersRefused: meanOf(kept.map((samples) => meanOf(samples.map(isRefused).map(Number)).mean)),
      coherence: coherenceOf(kept.flat(), all.flat()),
      change: changes ? changeOf(all.flat(), none.all.flat()) : null,
      paired: role === 'artifact' || artifact === undefined ? null : pairedTest(artifact.outcomes, outcomes),
      agreement: agreementOf(kept.flat()),
    };
  });
  return { set, label, n: none?.all.length ?? 0, protocol, results };
}

const isRefused = ({ decision }: JudgedAnswer): boolean => decision === 'refused';

/** Perplexity comes from all answers that were scored, the rest from those that are judged. */
function coherenceOf(kept: readonly ScoredAnswer[], all: readonly ScoredAnswer[]): Coherence {
  const words = kept.map(({ text }) => wordsOf(text));
  const tokens = kept.flatMap((answer) => answer.tokens ?? []);
  const surprises = all.flatMap(({ surprise }) => surprise ?? []);
  return {
    repetition: meanOf(words.map(repeatedShare)),
    longestRun: meanOf(words.map(longestRun)),
    words: meanOf(words.map(({ length }) => length)),
    tokens: tokens.length < kept.length ? null : meanOf(tokens),
    perplexity: surprises.length === 0 ? null : geometricMeanOf(surprises),
  };
}

/** Answers to the same query from the same seed, one by one. */
function changeOf(answers: readonly ScoredAnswer[], unprompted: readonly ScoredAnswer[]): Change {
  const pairs = answers.map(({ text }, index) => [text, unprompted[index]?.text ?? ''] as const);
  return {
    differing: proportion(pairs.filter(([text, before]) => text !== before).length, pairs.length),
    wordF1: meanOf(pairs.map(([text, before]) => wordF1(text, before))),
    chrF: meanOf(pairs.map(([text, before]) => chrF(text, before))),
  };
}

function pairedTest(artifact: readonly string[], other: readonly string[]): PairedTest {
  const counts = countPairs(artifact.map((outcome, query) => [outcome === 'refused', other[query] === 'refused']));
  const { onlyFirst: onlyArtifact, onlySecond: onlyOther } = counts;
  return { onlyArtifact, onlyOther, pValue: mcNemarExact(onlyArtifact, onlyOther), ...pairedDifference(counts) };
}

/** The detector's "given at least in part" against the guard's "unsafe". */
function agreementOf(answers: readonly ScoredAnswer[]): Agreement | null {
  const asked = answers.filter(({ guardAsked }) => guardAsked);
  if (asked.length === 0) return null;
  const pairs = asked.flatMap(({ decision, unsafe }) =>
    unsafe === null ? [] : [[decision === 'complied' || decision === 'partial', unsafe] as const],
  );
  const counts = countPairs(pairs);
  return {
    agreeing: proportion(counts.both + counts.neither, pairs.length),
    kappa: cohensKappa(counts),
    unsafe: proportion(counts.both + counts.onlySecond, pairs.length),
    unreadable: asked.length - pairs.length,
  };
}
