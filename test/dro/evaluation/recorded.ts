import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';

const number = Type.Number();
const interval = Type.Tuple([number, number]);
const schema = Type.Object({
  proportions: Type.Array(Type.Object({ count: number, n: number, interval })),
  pairs: Type.Array(Type.Object({ first: number, second: number, pValue: number })),
  kappas: Type.Array(
    Type.Object({ both: number, onlyFirst: number, onlySecond: number, neither: number, kappa: number }),
  ),
  means: Type.Array(Type.Object({ values: Type.Array(number), mean: number, interval })),
  overlaps: Type.Array(Type.Object({ candidate: Type.String(), reference: Type.String(), chrF: number })),
});

/** What scipy, statsmodels and sacreBLEU computed (fixtures/evaluation/record.py). */
export async function recordedStatistics(): Promise<Static<typeof schema>> {
  const path = join(import.meta.dirname, '../../fixtures/evaluation/statistics.json');
  return Value.Parse(schema, JSON.parse(await readFile(path, 'utf8')));
}
