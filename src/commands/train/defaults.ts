import { defaultSettings, objectives, type TrainingSettings } from '../../dro/training/settings.ts';

/** What holds where an option is left out, for its help: one value, or one for each objective. */
export function defaultOf(read: (settings: TrainingSettings) => number): string {
  const values = objectives.map((objective) => [objective, read(defaultSettings(objective))] as const);
  const different = new Set(values.map(([, value]) => value));
  if (different.size === 1) return `(default: ${[...different].join('')})`;
  return `(default: ${values.map(([objective, value]) => `${value} with ${objective}`).join(', ')})`;
}
