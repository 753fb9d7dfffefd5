import { join } from 'node:path';
import { type CollectedAnchors, collectAnchors } from '../anchors/collect-anchors.ts';
import { layOutQueries } from '../anchors/query-layout.ts';
import { computeStates } from '../anchors/states.ts';
import type { AnswerSource } from '../answers/answer-source.ts';
import { encodeQuery } from '../answers/encode-query.ts';
import { noPrompt, type PromptUnderTest, softPrompt } from '../answers/prompt-under-test.ts';
import { textualPrompts } from '../answers/textual-prompts.ts';
import type { RunTrainingOptions } from './run-training.ts';
import { trainedPrompt } from './trained-prompt.ts';

type AnchorOptions = Pick<
  RunTrainingOptions,
  'model' | 'train' | 'anchorQueries' | 'start' | 'position' | 'cacheDirectory' | 'plan' | 'anchorTexts' | 'onEvent'
>;

/** Under no prompt first, under the start last. */
export function anchorsFor(
  options: AnchorOptions,
  source: AnswerSource,
  signal: AbortSignal,
): Promise<CollectedAnchors> {
  const texts = options.anchorTexts ? textualPrompts : [];
  return collect(options, [noPrompt, ...texts, softPrompt(options.start, options.position)], source, signal);
}

function collect(
  options: AnchorOptions,
  prompts: readonly PromptUnderTest[],
  source: AnswerSource,
  signal: AbortSignal,
): Promise<CollectedAnchors> {
  return collectAnchors(
    {
      ...options,
      prompts,
      queries: options.anchorQueries,
      // it outlives the anchors: the steps ask it for the dev split
      source: { name: source.name, start: async () => ({ ...source, close: async () => {} }) },
      cacheDirectory: join(options.cacheDirectory, 'anchors'),
      onEvent: (event) => options.onEvent({ kind: 'anchors', event }),
    },
    signal,
  );
}

/** `[queries, hiddenSize]`: the states of all that is trained on under the start, from which DRO measures how far they move. */
export async function referenceFor(
  { model, train: queries, anchorQueries, start, position }: AnchorOptions,
  { sets }: CollectedAnchors,
  signal: AbortSignal,
): Promise<Float32Array | null> {
  // the last set is the start's
  if (queries === anchorQueries) return sets.at(-1)?.states ?? null;
  const under = softPrompt(start, position);
  const layout = layOutQueries(queries.map(({ text }) => encodeQuery(model, text, under)));
  return await computeStates(model.directory, layout, signal);
}

/** The same anchors, and last those under the trained prompt: one greedy answer a query, which says enough for the picture. */
export async function withTrained(
  anchors: CollectedAnchors,
  values: Float32Array,
  options: AnchorOptions,
  source: AnswerSource,
  signal: AbortSignal,
): Promise<CollectedAnchors> {
  const trained = await collect(
    { ...options, plan: { ...options.plan, samples: 1, temperature: 0 } },
    [softPrompt(trainedPrompt(options.start, 'trained@0.0.0', values), options.position)],
    source,
    signal,
  );
  return {
    ...anchors,
    sets: [...anchors.sets, ...trained.sets],
    counts: [...anchors.counts, ...trained.counts],
  };
}
