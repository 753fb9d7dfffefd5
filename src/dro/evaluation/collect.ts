import type { AnswerSampling, AnswerSource } from '../answers/answer-source.ts';
import { mapConcurrently } from '../answers/map-concurrently.ts';
import type { PromptUnderTest } from '../answers/prompt-under-test.ts';
import type { Query, QueryLabel } from '../queries/query.ts';
import { answerSeed } from './protocol.ts';
import type { Condition, GroupResult, Protocol } from './report.ts';
import type { ScoredAnswer } from './summarise.ts';

/** A condition and what it puts in front of a query. */
export interface TestedCondition extends Condition {
  readonly prompt: PromptUnderTest;
}

/** Queries of one file with one label. */
export interface QueryGroup {
  readonly set: GroupResult['set'];
  readonly label: QueryLabel;
  readonly queries: readonly Query[];
}

/** One answer and what it answers. */
export interface CollectedAnswer {
  readonly protocol: Protocol;
  readonly condition: TestedCondition;
  readonly group: QueryGroup;
  readonly query: Query;
  /** From 0. */
  readonly sample: number;
  readonly answer: ScoredAnswer;
}

export interface CollectOptions {
  source: AnswerSource;
  conditions: readonly TestedCondition[];
  groups: readonly QueryGroup[];
  protocols: readonly Protocol[];
  signal: AbortSignal;
  onAnswer?: (answered: number, all: number) => void;
}

type Task = Omit<CollectedAnswer, 'answer'> & { readonly sampling: AnswerSampling };

/**
 * All answers to all groups under all conditions, each condition with the same queries and seeds; by protocol, condition, group, query and
 * sample. Throws what the source throws.
 */
export async function collectAnswers(options: CollectOptions): Promise<CollectedAnswer[]> {
  const { source, signal, onAnswer } = options;
  const tasks = [...tasksOf(options)];
  const answers = new Map<Task, ScoredAnswer>();
  const work = ({ query, condition, sampling, protocol: { maxTokens } }: Task, until: AbortSignal) =>
    source.answer({ query: query.text, prompt: condition.prompt, sampling, maxTokens }, until);
  for await (const { item, result } of mapConcurrently(tasks, work, { concurrency: source.concurrency, signal })) {
    const { text, completionTokens, decision } = result;
    const unscored = { surprise: null, unsafe: null, guardAsked: false };
    answers.set(item, { text, decision: decision.decision, tokens: completionTokens, ...unscored });
    onAnswer?.(answers.size, tasks.length);
  }
  return tasks.flatMap((task) => {
    const answer = answers.get(task);
    const { sampling: _, ...asked } = task;
    return answer === undefined ? [] : [{ ...asked, answer }];
  });
}

/** One condition after the other: its prompt stays in the engine's cache. Samples of a query stand together for the same reason. */
function* tasksOf({ conditions, groups, protocols }: CollectOptions): Generator<Task> {
  for (const protocol of protocols) {
    for (const condition of conditions) {
      for (const group of groups) {
        for (const [index, query] of group.queries.entries()) {
          for (let sample = 0; sample < protocol.samples; sample++) {
            yield { protocol, condition, group, query, sample, sampling: samplingOf(protocol, index, sample) };
          }
        }
      }
    }
  }
}

function samplingOf(protocol: Protocol, query: number, sample: number): AnswerSampling {
  const { name, temperature, topP, topK } = protocol;
  if (name === 'greedy') return { temperature: 0 };
  return { temperature, topP, topK, seed: answerSeed(protocol, query, sample) };
}
