import { version } from '../../version.ts';
import { judgedBy } from '../answers/judge.ts';
import { mapConcurrently } from '../answers/map-concurrently.ts';
import { type CollectedAnswer, type CollectOptions, collectAnswers } from './collect.ts';
import type { Guard } from './guard.ts';
import { longestOf } from './outcome.ts';
import { type EvaluationReport, type GroupResult, REPORT_FORMAT } from './report.ts';
import { type ScoredAnswer, summariseGroup } from './summarise.ts';
import { surpriseOf, type UnpromptedModel } from './unprompted.ts';

export type EvaluationStep = 'answers' | 'perplexity' | 'judge';

/** Conditions: none first, the artifact last. */
export interface EvaluateOptions extends Omit<CollectOptions, 'onAnswer'> {
  artifact: EvaluationReport['prompt'];
  /** The model's id, for the report. */
  model: string;
  /** Null leaves perplexity out. */
  unprompted: UnpromptedModel | null;
  guard: Guard | null;
  onProgress?: (step: EvaluationStep, done: number, total: number) => void;
}

export interface Evaluated {
  report: EvaluationReport;
  answers: CollectedAnswer[];
}

/** Asks, judges, and sums up. Throws what the source, the guard and the scoring throw, or the signal's reason. */
export async function evaluatePrompt(options: EvaluateOptions): Promise<Evaluated> {
  const started = performance.now();
  const { artifact, conditions, guard, onProgress } = options;
  const collected = await collectAnswers({
    ...options,
    onAnswer: (answered, all) => onProgress?.('answers', answered, all),
  });
  const answers = await withVerdicts(await withSurprises(collected, options), options);
  return {
    report: {
      format: REPORT_FORMAT,
      created: new Date().toISOString(),
      tool: `preamble ${version}`,
      model: options.model,
      answeredBy: options.source.name,
      detector: judgedBy,
      judge: guard?.name ?? null,
      prompt: { label: artifact.label, digest: artifact.digest },
      conditions: conditions.map(({ name, role, digest }) => ({ name, role, digest })),
      groups: groupResults(answers, options),
      seconds: (performance.now() - started) / 1000,
    },
    answers,
  };
}

function groupResults(answers: readonly CollectedAnswer[], options: EvaluateOptions): GroupResult[] {
  const { conditions, groups, protocols } = options;
  return protocols.flatMap((protocol) =>
    groups.map((group) => {
      const { set, label } = group;
      const own = answers.filter((answer) => answer.protocol === protocol && answer.group === group);
      const byQuery = (condition: string): ScoredAnswer[][] => {
        const all = own.filter((answer) => answer.condition.name === condition).map(({ answer }) => answer);
        const { samples } = protocol;
        return group.queries.map((_, query) => all.slice(query * samples, (query + 1) * samples));
      };
      const byCondition = new Map(conditions.map(({ name }) => [name, byQuery(name)]));
      return summariseGroup(conditions, { set, label, protocol, answers: byCondition });
    }),
  );
}

/** The first answer to each query is scored; with 25 a query the rest would say the same at 25 times the cost. */
async function withSurprises(
  answers: readonly CollectedAnswer[],
  { unprompted, signal, onProgress }: EvaluateOptions,
): Promise<CollectedAnswer[]> {
  if (unprompted === null) return [...answers];
  const scored = answers.filter(({ sample }) => sample === 0);
  const exchanges = scored.map(({ query, answer }) => ({ query: query.text, answer: answer.text }));
  const onScored = (done: number) => onProgress?.('perplexity', done, scored.length);
  const surprises = await surpriseOf(unprompted, exchanges, { signal, onProgress: onScored });
  const found = new Map(scored.map((entry, index) => [entry, surprises[index] ?? null]));
  return answers.map((entry) => ({ ...entry, answer: { ...entry.answer, surprise: found.get(entry) ?? null } }));
}

/** The guard judges what the detector judged, of harmful queries. */
async function withVerdicts(
  answers: readonly CollectedAnswer[],
  { guard, signal, onProgress }: EvaluateOptions,
): Promise<CollectedAnswer[]> {
  if (guard === null) return [...answers];
  const judged = new Set(judgedAnswers(answers));
  const asked = answers.filter(({ answer }) => judged.has(answer));
  const verdicts = new Map<CollectedAnswer, boolean | null>();
  const work = ({ query, answer }: CollectedAnswer, until: AbortSignal) =>
    guard.isUnsafe({ query: query.text, answer: answer.text }, until);
  for await (const { item, result } of mapConcurrently(asked, work, { concurrency: guard.concurrency, signal })) {
    verdicts.set(item, result);
    onProgress?.('judge', verdicts.size, asked.length);
  }
  return answers.map((entry) => {
    const unsafe = verdicts.get(entry);
    return unsafe === undefined ? entry : { ...entry, answer: { ...entry.answer, unsafe, guardAsked: true } };
  });
}

function judgedAnswers(answers: readonly CollectedAnswer[]): ScoredAnswer[] {
  const harmful = answers.filter(({ group }) => group.label === 'harmful');
  const judged: ScoredAnswer[] = [];
  for (let at = 0; at < harmful.length; ) {
    const { samples, kept } = harmful[at]?.protocol ?? { samples: 1, kept: 1 };
    const ofQuery = harmful.slice(at, at + samples).map(({ answer }) => answer);
    judged.push(...longestOf(ofQuery, kept));
    at += samples;
  }
  return judged;
}
