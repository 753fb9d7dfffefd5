import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { canonicalJson } from '../../prompts/canonical-json.ts';
import type { ModelIdentity } from '../../prompts/model-identity.ts';
import type { AnswerSource } from '../answers/answer-source.ts';
import { encodeQuery, type QueryEncoding } from '../answers/encode-query.ts';
import { judgedBy } from '../answers/judge.ts';
import type { PromptUnderTest } from '../answers/prompt-under-test.ts';
import type { Query } from '../queries/query.ts';
import type { AnchorData } from './anchor-data.ts';
import type { AnchorEvent } from './anchor-event.ts';
import { type CollectedSet, collectSet } from './collect-set.ts';
import type { QueryCount, SamplingPlan } from './count-refusals.ts';
import { layOutQueries, type QueryLayout } from './query-layout.ts';

/** A model as states and answers depend on it. */
export interface AnchorModel extends QueryEncoding {
  readonly directory: string;
  readonly identity: ModelIdentity;
  /** See `weightsDigest`: two models can have one embedding matrix. */
  readonly weightsSha256: string;
}

/** Who answers; started when the first answer is asked for, and closed by whoever made it. */
export interface LazySource {
  /** A part of what the cache goes by. */
  readonly name: string;
  start(): Promise<AnswerSource>;
}

export interface CollectOptions {
  readonly model: AnchorModel;
  readonly queries: readonly Query[];
  readonly prompts: readonly PromptUnderTest[];
  readonly plan: SamplingPlan;
  readonly source: LazySource;
  /** Where work is kept as it is done. */
  readonly cacheDirectory: string;
  readonly onEvent: (event: AnchorEvent) => void;
}

export interface CollectedAnchors extends AnchorData {
  /** Of each set, in the order of its queries. */
  readonly counts: readonly (readonly QueryCount[])[];
}

/**
 * States and refusal fractions of all queries under all prompts. Work is kept as it is done, by the digest of what it depends on, and taken
 * from there the next time. Queries are encoded first, so that one that is too long is told before anything is computed.
 * Throws what encoding, the model and the source throw, `file_unwritable`, and the signal's reason.
 */
export async function collectAnchors(options: CollectOptions, signal: AbortSignal): Promise<CollectedAnchors> {
  const { model, queries, prompts, source, cacheDirectory, plan, onEvent } = options;
  const { directory, identity } = model;
  const texts = queries.map(({ text }) => text);
  const tasks = prompts.map((prompt) => ({
    prompt,
    layout: layOutQueries(texts.map((text) => encodeQuery(model, text, prompt))),
  }));
  const collected: CollectedSet[] = [];
  for (const { prompt, layout } of tasks) {
    const about = describeSet(options, prompt, layout);
    const folder = join(cacheDirectory, sha256(canonicalJson(about)).slice(0, FOLDER_DIGITS));
    const { hiddenSize } = identity;
    const { start } = source;
    const task = { prompt, texts, layout, plan, model: directory, hiddenSize, folder, about, source: start, onEvent };
    collected.push(await collectSet(task, signal));
  }
  return {
    queries,
    hiddenSize: identity.hiddenSize,
    sets: collected.map(({ states, counts }, index) => ({
      prompt: { label: prompts[index]?.label ?? '', digest: prompts[index]?.digest ?? '' },
      states,
      refusalFractions: Float32Array.from(counts, ({ refused, answers }) => refused / answers),
    })),
    counts: collected.map(({ counts }) => counts),
  };
}

/** 128 bits tell any number of sets apart. */
const FOLDER_DIGITS = 32;

/** All that a set's states and answers depend on. The queries count as the tokens that the model sees: template and tokenizer included. */
function describeSet({ model, plan, source }: CollectOptions, prompt: PromptUnderTest, layout: QueryLayout) {
  const { before, after, rows } = layout;
  return {
    model: model.identity.id,
    embeddingsSha256: model.identity.embeddingsSha256,
    weightsSha256: model.weightsSha256,
    prompt: prompt.label,
    promptSha256: prompt.digest,
    queries: rows.length,
    inputSha256: sha256(canonicalJson([before, after, ...rows])),
    answersFrom: source.name,
    detector: judgedBy,
    ...plan,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
