import {
  commonDType,
  type NoAttributes,
  noAttributes,
  type OperationTable,
  sameDType,
  sameShape,
} from '../operation.ts';
import type { Tensor } from '../tensor.ts';
import { keptShape } from './reduction.ts';

/** Kernels that fuse what the transformer needs most and that have a derivative. */
export interface FusedSignatures {
  /** x σ(αx); with α = 1 it is SiLU. float32 only. */
  QuickGelu: { inputs: readonly [Tensor]; attributes: { alpha: number }; outputs: readonly [Tensor] };
  /** RMSNorm over the last axis: inputs x and weight, outputs y and 1/rms. float32 only. */
  SimplifiedLayerNormalization: {
    inputs: readonly [Tensor, Tensor];
    attributes: { epsilon: number };
    outputs: readonly [Tensor, Tensor];
  };
  /**
   * RoPE in halves: x [batch, sequence, heads·headDim]; rows of cos and sin [rows, headDim/2] chosen by positionIds
   * [batch, sequence] int64. float32 only.
   */
  RotaryEmbedding: {
    inputs: readonly [x: Tensor, positionIds: Tensor, cos: Tensor, sin: Tensor];
    attributes: NoAttributes;
    outputs: readonly [Tensor];
  };
}

export const fusedOperations: OperationTable<FusedSignatures> = {
  // y = x σ(αx); with s = σ(αx): dx = dy · s (1 + αx (1 - s)). Only x is kept for the backward pass.
  QuickGelu: {
    type: 'QuickGelu',
    domain: 'com.microsoft',
    attributes: ({ alpha }) => ({ alpha: { float: alpha } }),
    shape: sameShape,
    dtype: sameDType,
    vjp: ({ graph, inputs: [x], attributes: { alpha }, cotangents: [dy] }) => [
      () => {
        const one = graph.scalar(1, x.dtype);
        const scaled = graph.scale(x, alpha);
        const gate = graph.sigmoid(scaled);
        return graph.mul(dy, graph.mul(gate, graph.add(graph.mul(scaled, graph.sub(one, gate)), one)));
      },
    ],
  },

  // r = 1/√(mean(x²) + ε), y = x r w. With g = dy · w: dx = r g - x r³ mean(g x), dw = Σ dy x r.
  // r has a cotangent of its own only if something reads it, which nothing outside this rule does.
  SimplifiedLayerNormalization: {
    type: 'SimplifiedLayerNormalization',
    domain: '',
    attributes: ({ epsilon }) => ({ axis: { int: -1 }, epsilon: { float: epsilon } }),
    shape: ([x]) => [x.shape, keptShape(x.shape, [-1])],
    dtype: ([x, weight]) => {
      const [dtype] = commonDType([x, weight]);
      return [dtype, dtype];
    },
    vjp: ({ graph, inputs: [x, weight], outputs: [, inverseRms], cotangents: [dy] }) => [
      () => {
        const g = graph.mul(dy, weight);
        const projection = graph.mean(graph.mul(g, x), [-1], true);
        const cubed = graph.mul(inverseRms, graph.mul(inverseRms, inverseRms));
        return graph.sub(graph.mul(g, inverseRms), graph.mul(x, graph.mul(cubed, projection)));
      },
      () => graph.sumTo(graph.mul(dy, graph.mul(x, inverseRms)), weight.shape),
    ],
  },

  // Each pair turns by its angle, (a, b) → (a cos - b sin, b cos + a sin); dy turns back: the same with -sin
  RotaryEmbedding: {
    type: 'RotaryEmbedding',
    domain: 'com.microsoft',
    attributes: noAttributes,
    shape: sameShape,
    dtype: sameDType,
    vjp: ({ graph, inputs: [, positionIds, cos, sin], cotangents: [dy] }) => [
      () => graph.apply('RotaryEmbedding', [dy, positionIds, cos, graph.neg(sin)], {})[0],
      { notDifferentiable: 'a position is discrete' },
      { notDifferentiable: 'the angles are constants of the model' },
      { notDifferentiable: 'the angles are constants of the model' },
    ],
  },
};
