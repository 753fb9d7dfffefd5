import type { OnnxNode } from '../formats/onnx.ts';

/**
 * Gives each reader of a cast weight a cast of its own, so that the cast copy lives for one operation and not from the forward to the backward
 * pass: of all weights in float32, only one at a time is there. `weights` are the names of the graph's constants.
 *
 * All casts come first. ONNX Runtime runs a graph depth-first from its outputs, and of a node's inputs it prepares those first that come
 * last in the file: so the other input is computed before the weight is cast, however long that takes.
 */
export function castForEachReader(nodes: readonly OnnxNode[], weights: ReadonlySet<string>): OnnxNode[] {
  const casts = new Map(
    nodes
      .filter(({ type, inputs: [input] }) => type === 'Cast' && input !== undefined && weights.has(input))
      .map((node) => [node.outputs[0] ?? '', node]),
  );
  const copies: OnnxNode[] = [];
  const others = nodes
    .filter(({ outputs: [output] }) => !casts.has(output ?? ''))
    .map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => {
        const cast = casts.get(name);
        if (cast === undefined) return name;
        const copy = `${name}_${copies.length}`;
        copies.push({ ...cast, name: `${cast.name}_${copies.length}`, outputs: [copy] });
        return copy;
      }),
    }));
  return [...copies, ...others];
}
