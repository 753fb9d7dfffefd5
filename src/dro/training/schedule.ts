export interface ScheduleOptions {
  /** The largest rate. */
  learningRate: number;
  /** Steps of linear rise from 0. */
  warmup: number;
  steps: number;
  /** `constant` after the warm-up, as the reference; `cosine` falls to 0 at the last step (arXiv 1608.03983, without restarts). */
  decay: 'constant' | 'cosine';
}

/** Learning rate of a step, counted from 1. */
export function learningRateAt(step: number, { learningRate, warmup, steps, decay }: ScheduleOptions): number {
  const risen = warmup === 0 ? 1 : Math.min(1, step / warmup);
  const left = decay === 'constant' ? 1 : 0.5 * (1 + Math.cos((Math.PI * (step - 1)) / steps));
  return learningRate * risen * left;
}
