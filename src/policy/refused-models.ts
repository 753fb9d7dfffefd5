import type { PolicySnapshot } from './snapshot.ts';

/** Models of which every request would be refused for want of their prompt, a sentence each. */
export function refusedModels({ models }: PolicySnapshot): string[] {
  return [...models].flatMap(([name, { prompt, onPromptUnavailable }]) =>
    prompt.kind === 'unavailable' && onPromptUnavailable === 'refuse'
      ? [`The prompt of ${name} is not available.`]
      : [],
  );
}
