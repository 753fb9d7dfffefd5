/**
 * Moves positions apart until neighbours are `gap` from each other, as little as that takes, and keeps them between `least` and `greatest`
 * where there is room. The order of the result is that of the positions.
 */
export function spread(positions: readonly number[], gap: number, least: number, greatest: number): number[] {
  const order = positions.map((at, index) => ({ at, index })).sort((a, b) => a.at - b.at || a.index - b.index);
  // Blocks of positions that touch; each stands where the mean of its members' wishes is.
  const blocks: { sum: number; indices: number[] }[] = [];
  const start = ({ sum, indices }: { sum: number; indices: number[] }) => {
    const length = (indices.length - 1) * gap;
    return Math.max(least, Math.min(greatest - length, sum / indices.length - length / 2));
  };
  for (const { at, index } of order) {
    let block = { sum: at, indices: [index] };
    for (let before = blocks.at(-1); before !== undefined; before = blocks.at(-1)) {
      if (start(before) + before.indices.length * gap <= start(block)) break;
      blocks.pop();
      block = { sum: before.sum + block.sum, indices: [...before.indices, ...block.indices] };
    }
    blocks.push(block);
  }
  const result = [...positions];
  for (const block of blocks) {
    for (const [rank, index] of block.indices.entries()) result[index] = start(block) + rank * gap;
  }
  return result;
}
