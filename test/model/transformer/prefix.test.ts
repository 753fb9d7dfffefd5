import t from 'tap';
import type { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Tensor } from '../../../src/graph/tensor.ts';
import { type Checkpoint, openCheckpoint } from '../../../src/model/checkpoint.ts';
import { createTransformer } from '../../../src/model/transformer/transformer.ts';
import {
  analyticGradients,
  type Build,
  numericGradients,
  randomValues,
  relativeError,
} from '../../graph/support/gradients.ts';
import { fixtureDirectory } from './support/fixtures.ts';

const PREFIX = 6;
const ROWS = 3;
const TOKENS = 5;
/** Rows 0 and 1 end in padding. */
const LAST = [3, 1, 4];

const join = (graph: GraphBuilder, prefix: Tensor, rows: Tensor, width: number) =>
  graph.concat([graph.expand(graph.unsqueeze(prefix, 0), [ROWS, PREFIX, width]), rows], 1);

/** The last states of three rows behind a prefix, computed once for all or repeated in each. */
function lastStates(checkpoint: Checkpoint, shared: boolean, dtype: 'float32' | 'float64'): Build {
  const width = checkpoint.config.hiddenSize;
  return (graph, [prefix, rows]) => {
    if (prefix === undefined || rows === undefined) throw new RangeError('a prefix and rows');
    const transformer = createTransformer(graph, checkpoint, { positions: PREFIX + TOKENS, dtype });
    const last = LAST.map((index) => (shared ? index : PREFIX + index));
    return transformer.states({
      prefix: shared ? prefix : null,
      embeddings: shared ? rows : join(graph, prefix, rows, width),
      lastIndices: graph.constant(last, [ROWS], 'int64'),
    });
  };
}

// qwen2-window sees less than the prefix and rows together, so the window runs through the shared prefix
for (const name of ['llama', 'mistral-window', 'qwen2-window', 'qwen3']) {
  t.test(`${name}: gradients through a shared prefix`, async (t) => {
    const checkpoint = await openCheckpoint(fixtureDirectory(name));
    const width = checkpoint.config.hiddenSize;
    const inputs = [
      { shape: [PREFIX, width], values: randomValues(PREFIX * width, 1, -0.5, 0.5) },
      { shape: [ROWS, TOKENS, width], values: randomValues(ROWS * TOKENS * width, 2, -0.5, 0.5) },
    ];
    const folder = { externalFolder: checkpoint.directory };
    const double = await analyticGradients(inputs, lastStates(checkpoint, true, 'float64'), 'float64', folder);

    const numeric = await numericGradients(inputs, lastStates(checkpoint, true, 'float64'), folder);
    const error = relativeError(double, numeric);
    t.ok(error < 1e-6, `central differences: relative error ${error.toExponential(1)}`);

    const repeated = await analyticGradients(inputs, lastStates(checkpoint, false, 'float64'), 'float64', folder);
    const difference = relativeError(double, repeated);
    t.ok(difference < 1e-10, `the prefix repeated in each row: relative difference ${difference.toExponential(1)}`);

    const single = await analyticGradients(inputs, lastStates(checkpoint, true, 'float32'), 'float32', folder);
    const rounding = relativeError(single, double);
    t.ok(rounding < 1e-4, `float32 kernels: relative difference ${rounding.toExponential(1)}`);
  });
}
