import type { GraphBuilder } from './builder.ts';
import type { Tensor } from './tensor.ts';

/**
 * Reverse-mode differentiation: d loss / d tensor for each tensor asked for, added to the graph. `loss` is a scalar.
 * Only what leads from those with `requiresGrad` to the loss is visited, so frozen weights cost nothing.
 */
export function gradient(graph: GraphBuilder, loss: Tensor, withRespectTo: readonly Tensor[]): Tensor[] {
  if (loss.shape.length !== 0) throw new TypeError(`the loss must be a scalar, not [${loss.shape}]`);
  const cotangents = new Map<string, Tensor>([[loss.name, graph.scalar(1, loss.dtype)]]);

  for (const { name, inputs, outputs, pullback } of graph.tape().toReversed()) {
    if (!outputs.some((output) => cotangents.has(output.name))) continue;
    const pulled = pullback(
      outputs.map((output) => cotangents.get(output.name) ?? graph.zeros(output.shape, output.dtype)),
    );
    for (const [index, input] of inputs.entries()) {
      if (!input?.requiresGrad) continue;
      const rule = pulled[index];
      if (typeof rule !== 'function') throw new TypeError(`no derivative of ${name}: ${rule?.notDifferentiable}`);
      const contribution = rule();
      const sum = cotangents.get(input.name);
      cotangents.set(input.name, sum === undefined ? contribution : graph.add(sum, contribution));
    }
  }

  return withRespectTo.map((tensor) => {
    const cotangent = cotangents.get(tensor.name);
    if (cotangent === undefined) throw new TypeError(`the loss does not depend on ${tensor.name}`);
    return cotangent;
  });
}
