/** The mean of each value's neighbours within `reach` on either side; what is not finite is left out, and stays so. */
export function smooth(values: readonly number[], reach: number): number[] {
  return values.map((value, index) => {
    if (!Number.isFinite(value)) return value;
    // Fewer at the ends, but as many on either side: a mean of one side only would lag behind.
    const own = Math.min(reach, index, values.length - 1 - index);
    const near = values.slice(index - own, index + own + 1).filter(Number.isFinite);
    return near.reduce((sum, each) => sum + each / near.length, 0);
  });
}
