import type { Facts } from '../dro/report/report-data.ts';
import { renderFacts, renderTable } from '../dro/report/report-parts.ts';
import { element, type MarkupChild } from '../formats/markup.ts';
import type { PromptManifest } from '../prompts/manifest.ts';

/** What a version's tensor is, or why it can't be told. */
export type Rows = { tokens: number; hiddenSize: number; dtype: string } | { problem: string };

/** Query sets in a table; a manifest may hold 100,000. */
const MAX_SETS = 100;

/** The manifest's facts. The text is left out: whoever may see this page need not see what the model is told. */
export function renderPromptFacts(manifest: PromptManifest, digest: string, rows: Rows): MarkupChild[] {
  const { position, created, tensor, text, signature } = manifest;
  const facts = {
    Digest: digest,
    Rows:
      'problem' in rows
        ? rows.problem
        : `${rows.tokens} virtual tokens of ${rows.hiddenSize} values each, ${rows.dtype}`,
    Position: position === 'system' ? 'system message' : 'first user message',
    Created: created,
    'Made by': madeBy(manifest),
    Text: text === undefined ? null : `${text.length} characters (preamble prompt show prints it)`,
    'Digest of the tensor': tensor.sha256,
    Signature:
      signature === undefined
        ? 'not signed'
        : `signed (${signature.algorithm}) with the key ${signature.keyId}; preamble prompt verify --public-key checks it`,
  };
  return [renderFacts('From the manifest', facts)];
}

/** The objective it was trained with, or where its rows came from. */
export function madeBy({ training, text }: PromptManifest): string {
  if (training !== undefined) return `training (${training.objective})`;
  return text === undefined ? 'import' : 'text';
}

export function renderModelFacts({ model }: PromptManifest): MarkupChild[] {
  const facts = {
    Model: model.id,
    Architecture: model.architecture,
    'Hidden size': model.hiddenSize,
    Vocabulary: `${model.vocabSize} tokens`,
    'Digest of its embeddings': model.embeddingsSha256,
    'Digest of its vocabulary': model.tokenizerSha256,
  };
  return [renderFacts('The model that the prompt fits', facts)];
}

export function renderTrainingFacts({ training }: PromptManifest): MarkupChild[] {
  if (training === undefined) return [];
  const { objective, tool, seed, hyperparameters } = training;
  const settings: Facts = Object.fromEntries(
    Object.entries(hyperparameters).map(([name, value]) => [
      name,
      typeof value === 'number' ? Number(value.toPrecision(6)) : value,
    ]),
  );
  return [
    renderFacts('How it was trained', { Objective: objective, Tool: tool, Seed: seed }),
    Object.keys(settings).length === 0
      ? null
      : element(
          'details',
          {},
          element('summary', {}, 'Hyperparameters'),
          renderFacts('Settings of the training', settings),
        ),
  ];
}

export function renderQuerySets({ training, evaluation, testSetReads }: PromptManifest): MarkupChild[] {
  const sets = [
    ...(training?.anchors ?? []).map(({ set, sha256 }) => ({ use: 'training', set, n: '–', sha256 })),
    ...evaluation.map(({ set, n, label, sha256 }) => ({
      use: 'evaluation',
      set,
      n: `${n}${label === undefined ? '' : ` ${label}`}`,
      sha256: sha256 ?? '–',
    })),
  ].slice(0, MAX_SETS);
  if (sets.length === 0) return [];
  return [
    renderTable({
      caption: 'Query sets, by the digests of their files',
      rows: sets,
      columns: [
        { heading: 'Set', cell: ({ set }) => set },
        { heading: 'For', cell: ({ use }) => use },
        { heading: 'Queries', cell: ({ n }) => n },
        { heading: 'SHA-256', cell: ({ sha256 }) => element('code', {}, sha256) },
      ],
    }),
    element('p', { class: 'remark' }, testSetText(testSetReads ?? 0)),
  ];
}

function testSetText(reads: number): string {
  if (reads === 0) return 'It has not been evaluated on the test split.';
  if (reads === 1) return 'It has been evaluated on the test split once.';
  return `It has been evaluated on the test split ${reads} times: these figures may have been chosen by.`;
}
