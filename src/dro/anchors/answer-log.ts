import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { type JsonLog, openJsonLog } from '../../formats/json-log.ts';
import type { QueryCount } from './count-refusals.ts';

const count = Type.Integer({ minimum: 0 });
const checker = Compile(
  Type.Object({
    query: count,
    answers: Type.Integer({ minimum: 1 }),
    refused: count,
    partial: count,
    empty: count,
    tokens: count,
  }),
);

/** The counts of queries as they are finished. */
export interface AnswerLog extends Pick<JsonLog<QueryCount>, 'append' | 'close'> {
  /** By the query's place. */
  readonly counts: ReadonlyMap<number, QueryCount>;
}

/** Opens `path` and reads what is there. Lines that do not fit `samples` count as not there. */
export async function openAnswerLog(path: string, samples: number): Promise<AnswerLog> {
  const isCount = (value: unknown): value is QueryCount => checker.Check(value) && value.answers === samples;
  const { entries, append, close } = await openJsonLog(path, isCount);
  const counts = new Map(entries.map((entry) => [entry.query, entry]));
  return {
    counts,
    async append(entry) {
      await append(entry);
      counts.set(entry.query, entry);
    },
    close,
  };
}
