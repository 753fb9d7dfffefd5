import { createGraph } from '../../../src/graph/builder.ts';
import { hostTensor, openSession } from '../../../src/graph/session.ts';
import type { Checkpoint } from '../../../src/model/checkpoint.ts';
import { createTransformer } from '../../../src/model/transformer/transformer.ts';

interface Rows {
  /** Before every row, computed once. */
  prefix: readonly number[];
  rows: readonly (readonly number[])[];
}

/** The last token's state of each row, `[rows, hiddenSize]`. */
export async function lastStates(
  checkpoint: Checkpoint,
  { prefix, rows }: Rows,
  dtype: 'float32' | 'float64',
): Promise<number[]> {
  const tokens = Math.max(...rows.map(({ length }) => length));
  const graph = createGraph();
  const transformer = createTransformer(graph, checkpoint, { positions: prefix.length + tokens, dtype });
  const int64 = (values: readonly number[], shape: readonly number[]) => graph.constant(values, shape, 'int64');
  const ids = graph.input('ids', [rows.length, tokens], 'int64');
  const states = transformer.states({
    prefix: prefix.length === 0 ? null : transformer.embed(int64(prefix, [prefix.length])),
    embeddings: transformer.embed(ids),
    lastIndices: int64(
      rows.map(({ length }) => length - 1),
      [rows.length],
    ),
  });
  graph.output(states, 'states');
  const padded = rows.flatMap((row) => [...row, ...new Array<number>(tokens - row.length).fill(0)]);
  // further optimisation fuses nodes into kernels that exist in float32 only
  const optimization = dtype === 'float64' ? { graphOptimization: 'basic' as const } : {};
  const session = await openSession(graph.build(), { externalFolder: checkpoint.directory, ...optimization });
  try {
    const results = await session.run({ ids: hostTensor(BigInt64Array.from(padded, BigInt), [rows.length, tokens]) });
    return Array.from(results['states']?.data ?? [], Number);
  } finally {
    await session.release();
  }
}
