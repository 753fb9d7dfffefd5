import type { GraphBuilder } from '../../graph/builder.ts';
import { type DType, staticDimension, type Tensor } from '../../graph/tensor.ts';
import type { ModelConfig } from '../config.ts';
import { rotaryTables } from './rotary.ts';

/** Cosines and sines of RoPE's angles as constants, `[positions, headDim / 2]`. */
export interface RotationTables {
  cos: Tensor;
  sin: Tensor;
}

/** For sequences of `positions` tokens; dynamic scaling depends on that length. */
export function rotationTables(
  graph: GraphBuilder,
  config: ModelConfig,
  positions: number,
  dtype: DType,
): RotationTables {
  const { cos, sin } = rotaryTables(config, positions);
  const shape = [positions, config.headDim / 2];
  return { cos: graph.constant(cos, shape, dtype), sin: graph.constant(sin, shape, dtype) };
}

/** RoPE of `[rows · tokens, heads · headDim]` at the positions `positionIds` `[rows, tokens]` int64. */
export function createRotation(
  graph: GraphBuilder,
  { headDim }: ModelConfig,
  { cos, sin }: RotationTables,
  positionIds: Tensor,
): (x: Tensor) => Tensor {
  const rows = staticDimension(positionIds.shape, 0);
  const tokens = staticDimension(positionIds.shape, 1);
  const half = headDim / 2;

  return (x) => {
    const width = staticDimension(x.shape, 1);
    if (x.dtype === 'float32') {
      const batched = graph.reshape(x, [rows, tokens, width]);
      return graph.reshape(graph.apply('RotaryEmbedding', [batched, positionIds, cos, sin], {})[0], x.shape);
    }
    // the kernel has no float64: (a, b) → (a cos - b sin, b cos + a sin), the halves of each head being a and b
    const angles = (table: Tensor) => graph.reshape(graph.gather(table, positionIds, 0), [rows * tokens, 1, half]);
    const heads = graph.reshape(x, [rows * tokens, width / headDim, headDim]);
    const [a, b] = graph.split(heads, [half, half], -1);
    if (a === undefined || b === undefined) throw new TypeError('a split in two gives two parts');
    const [cosines, sines] = [angles(cos), angles(sin)];
    const turned = [
      graph.sub(graph.mul(a, cosines), graph.mul(b, sines)),
      graph.add(graph.mul(b, cosines), graph.mul(a, sines)),
    ];
    return graph.reshape(graph.concat(turned, -1), x.shape);
  };
}
