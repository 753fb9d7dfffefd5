import t, { type Test } from 'tap';
import { parseModelConfig } from '../../../src/model/parse-config.ts';
import { createRotation, rotationTables } from '../../../src/model/transformer/rotation.ts';
import { analyticGradients, type Build, randomValues, relativeError } from '../support/gradients.ts';

const base = parseModelConfig({
  model_type: 'llama',
  hidden_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 16,
  vocab_size: 16,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
});

// These kernels exist in float32 only, where differences are too coarse to judge them. In float64 the same call becomes plain
// operations, which finite-differences.test.ts has judged.
const TOLERANCE = 2e-6;

const input = (shape: number[], seed: number) => ({
  shape,
  values: Float64Array.from(
    randomValues(
      shape.reduce((product, size) => product * size, 1),
      seed,
      -1.5,
      1.5,
    ),
    Math.fround,
  ),
});

async function agrees(t: Test, build: Build, shapes: number[][]) {
  const inputs = shapes.map((shape, seed) => input(shape, seed));
  const [single, double] = [await analyticGradients(inputs, build, 'float32'), await analyticGradients(inputs, build)];
  const error = relativeError(single, double);
  t.ok(error < TOLERANCE, `relative error ${error.toExponential(1)}`);
}

t.test('Softplus', (t) =>
  agrees(
    t,
    (graph, inputs) =>
      graph.concat(
        inputs.map((x) => graph.softplus(x)),
        0,
      ),
    [[3, 4]],
  ),
);

t.test('QuickGelu', (t) =>
  agrees(
    t,
    (graph, inputs) =>
      graph.concat(
        inputs.map((x) => graph.silu(x)),
        0,
      ),
    [[3, 4]],
  ),
);

for (const transposeA of [false, true]) {
  for (const transposeB of [false, true]) {
    t.test(`FusedMatMul with transposes ${transposeA}, ${transposeB}`, (t) =>
      agrees(
        t,
        (graph, [a, b]) => {
          if (a === undefined || b === undefined) throw new RangeError('two inputs');
          return graph.matmul(a, b, { transposeA, transposeB, scale: 0.7 });
        },
        [transposeA ? [2, 1, 4, 3] : [2, 1, 3, 4], transposeB ? [5, 6, 4] : [5, 4, 6]],
      ),
    );
  }
}

t.test('SimplifiedLayerNormalization', (t) =>
  agrees(
    t,
    (graph, [x, weight]) => {
      if (x === undefined || weight === undefined) throw new RangeError('two inputs');
      return graph.rmsNorm(x, weight, 1e-5);
    },
    [[2, 3, 8], [8]],
  ),
);

t.test('RotaryEmbedding', (t) =>
  agrees(
    t,
    (graph, [x]) => {
      if (x === undefined) throw new RangeError('one input');
      const config = { ...base, headDim: 8 };
      const positions = graph.constant([3, 0, 1, 4, 2, 2], [2, 3], 'int64');
      return createRotation(graph, config, rotationTables(graph, config, 5, x.dtype), positions)(x);
    },
    [[6, 16]],
  ),
);
