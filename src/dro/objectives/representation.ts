import type { GraphBuilder } from '../../graph/builder.ts';
import { staticDimension, type Tensor } from '../../graph/tensor.ts';

export interface MoveInputs {
  /** States of the queries' last tokens under the soft prompt, `[rows, hiddenSize]`. */
  states: Tensor;
  /** The same queries' states under the textual prompt that it started from, `[rows, hiddenSize]`. */
  reference: Tensor;
}

/** z_θ − z_0 of each query, `[rows, hiddenSize]`. */
export function move(graph: GraphBuilder, { states, reference }: MoveInputs): Tensor {
  return graph.sub(states, reference);
}

/** The move along the principal components, `[rows, components]`; `components` is `[components, hiddenSize]`, rows orthonormal. */
export function principalMove(graph: GraphBuilder, moved: Tensor, components: Tensor): Tensor {
  return graph.matmul(moved, components, { transposeB: true });
}

/**
 * DRO's terms of refusal and of harmfulness (arXiv 2401.18018, section 3.2), `[rows]`: binary cross-entropy of the move of a probe's logit,
 *
 *   L = − y log σ(Δ) − (1 − y) log (1 − σ(Δ)),  Δ = f(z_θ) − f(z_0) = w · (z_θ − z_0)
 *
 * with y = 1 for harmful queries: they shall move up, harmless ones down. In the stable form log(1 + e^Δ) − yΔ.
 * The probe's bias cancels. `principal` is `[rows, components]`, `labels` `[rows]`.
 */
export function probeTerm(graph: GraphBuilder, principal: Tensor, probe: ArrayLike<number>, labels: Tensor): Tensor {
  const rows = staticDimension(principal.shape, 0);
  const weights = graph.constant(probe, [staticDimension(principal.shape, 1), 1], principal.dtype);
  const delta = graph.reshape(graph.matmul(principal, weights), [rows]);
  return graph.sub(graph.softplus(delta), graph.mul(labels, delta));
}

/**
 * DRO's term of preservation, `[rows]`: the mean square of the move in the dimensions that carry neither probe,
 *
 *   L_U = ‖U (z_θ − z_0)‖² / dim U = (‖z_θ − z_0‖² − ‖P (z_θ − z_0)‖²) / (hiddenSize − components)
 *
 * where the rows of P and U together are an orthonormal basis: so U itself, [hiddenSize, hiddenSize], need not be there.
 */
export function preservationTerm(graph: GraphBuilder, moved: Tensor, principal: Tensor): Tensor {
  const dimensions = staticDimension(moved.shape, 1) - staticDimension(principal.shape, 1);
  const square = (x: Tensor) => graph.sum(graph.mul(x, x), [-1]);
  return graph.scale(graph.sub(square(moved), square(principal)), 1 / dimensions);
}
