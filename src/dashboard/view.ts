import { columnsIn } from './recorder.ts';
import type { TrafficLabels } from './series.ts';

/** What the charts can be drawn by. */
export const dimensions = ['model', 'prompt', 'variant', 'tenant'] as const satisfies (keyof TrafficLabels)[];
export type Dimension = (typeof dimensions)[number];

/** Minutes that can be looked at; the longest is all that is kept. */
export const stretches = [15, 60] as const;
export type Stretch = (typeof stretches)[number];

/** What one reader has asked to see. It stands in the page's address, so it can be kept and sent to others. */
export interface View {
  readonly by: Dimension;
  readonly minutes: Stretch;
}

const PATH = '/dashboard';

/** What can't be read is what stands there without it: a link from an older version still opens. */
export function readView(query: unknown): View {
  const { by, minutes } = typeof query === 'object' && query !== null ? { by: '', minutes: '', ...query } : {};
  return {
    by: dimensions.find((dimension) => dimension === by) ?? 'model',
    minutes: stretches.find((stretch) => String(stretch) === minutes) ?? 15,
  };
}

export function viewQuery({ by, minutes }: View): string {
  return `?by=${by}&minutes=${minutes}`;
}

export function viewPath(view: View): string {
  return PATH + viewQuery(view);
}

/** How many of the recorder's columns that is. */
export function columnsOf({ minutes }: View): number {
  return columnsIn(minutes);
}
