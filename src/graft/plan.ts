import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PreambleError } from '../errors.ts';
import { type ChatTemplate, loadChatTemplate } from '../model/chat/chat-template.ts';
import { type Checkpoint, openCheckpoint } from '../model/checkpoint.ts';
import { loadTokenizer, type Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { parseTokenizerJson, readJsonFile } from '../model/tokenizer/tokenizer-file.ts';
import { assertPromptFits } from '../prompts/compatibility.ts';
import { identifyModel, type ModelIdentity } from '../prompts/model-identity.ts';
import { promptLabel } from '../prompts/name.ts';
import type { PromptVersion } from '../prompts/registry.ts';
import type { StoredSoftPrompt } from '../prompts/soft-prompt.ts';
import { isRowDtype, type RowDtype } from './encode-rows.ts';
import { GRAFT_FILE, type GraftedPrompt, readGraft } from './graft-file.ts';
import { type Placement, placeVirtualTokens } from './placement.ts';
import type { VirtualToken } from './text-files.ts';
import { spellVirtualTokens } from './virtual-token.ts';

export interface PlannedPrompt extends GraftedPrompt {
  readonly softPrompt: StoredSoftPrompt;
}

/** What a graft will be; nothing has been written. */
export interface GraftPlan {
  /** A Hugging Face directory. */
  readonly source: string;
  readonly checkpoint: Checkpoint;
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate | null;
  readonly identity: ModelIdentity;
  readonly prompts: readonly PlannedPrompt[];
  readonly tokens: readonly VirtualToken[];
  readonly placement: Placement;
  /** Of the embedding matrix, and of the output matrix. */
  readonly dtype: RowDtype;
  /** Tells this graft of this checkpoint from all others, hex. */
  readonly key: string;
}

/**
 * Reads what there is, and checks all that can be wrong with it before a byte is written. Throws `file_unreadable`, `format_invalid`,
 * `model_unsupported`, `prompt_mismatch`.
 */
export async function planGraft(source: string, versions: readonly PromptVersion[]): Promise<GraftPlan> {
  await assertNotGrafted(source, versions);
  const checkpoint = await openCheckpoint(source);
  const { config } = checkpoint;
  const dtype = rowDtype(checkpoint);
  const tokenizer = await loadTokenizer(source);
  const identity = await identifyModel(source, { config, tokenizer });
  const softPrompts: StoredSoftPrompt[] = [];
  for (const version of versions) {
    assertPromptFits(version.manifest, identity);
    softPrompts.push(await version.load());
  }
  const texts = spellVirtualTokens(softPrompts);
  const json = parseTokenizerJson(await readJsonFile(source, 'tokenizer.json'), join(source, 'tokenizer.json'));
  const known = texts.flat().find((text) => tokenizer.tokenId(text) !== undefined);
  if (known !== undefined) {
    throw new PreambleError('model_unsupported', `The tokenizer has the token ${known} already.`, {
      action: 'Give the checkpoint as it was before it was grafted.',
    });
  }
  const count = softPrompts.reduce((sum, { tokens }) => sum + tokens, 0);
  const placement = placeVirtualTokens(count, config.vocabSize, json, await usedElsewhere(source, checkpoint));
  let at = 0;
  const prompts = versions.map(({ name, version, digest, manifest }, index): PlannedPrompt => {
    const softPrompt = softPrompts[index];
    if (softPrompt === undefined) throw new RangeError('one soft prompt a version');
    const tokens = (texts[index] ?? []).map((text, row) => ({ id: placement.ids[at + row] ?? 0, text, row }));
    at += tokens.length;
    const spelled = tokens.map(({ text }) => text).join('');
    return { name, version, digest, position: manifest.position, tokens, spelled, softPrompt };
  });
  const tokens = prompts.flatMap((prompt) => prompt.tokens.map(({ id, text }) => ({ id, text })));
  const key = createHash('sha256')
    .update(
      JSON.stringify([
        resolve(source),
        identity.embeddingsSha256,
        identity.tokenizerSha256,
        versions.map(({ digest }) => digest),
      ]),
    )
    .digest('hex')
    .slice(0, 12);
  const template = await loadChatTemplate(source);
  return { source, checkpoint, tokenizer, template, identity, prompts, tokens, placement, dtype, key };
}

async function assertNotGrafted(source: string, versions: readonly PromptVersion[]): Promise<void> {
  if ((await stat(join(source, GRAFT_FILE)).catch(() => null)) === null) return;
  const { prompts } = await readGraft(source);
  const has = prompts.map(({ name, version }) => promptLabel(name, version)).join(', ');
  const wanted = versions.map(({ label }) => label).join(', ');
  const what = has === wanted ? `grafted already, with ${has}` : `grafted already, with ${has} rather than ${wanted}`;
  throw new PreambleError('model_unsupported', `The checkpoint in ${source} is ${what}.`, {
    action: 'Give the original, or get it back: preamble graft --restore.',
  });
}

function rowDtype({ config, tensor, directory }: Checkpoint): RowDtype {
  const { dtype } = tensor('model.embed_tokens.weight').location;
  const head = config.tiedEmbeddings ? dtype : tensor('lm_head.weight').location.dtype;
  if (isRowDtype(dtype) && head === dtype) return dtype;
  throw new PreambleError(
    'model_unsupported',
    `The embeddings in ${directory} are ${dtype} and its output matrix is ${head}; both must be F32, F16 or BF16, and alike.`,
    { action: 'Give a checkpoint whose embeddings are not quantised.' },
  );
}

/** Whether a reserved token has been given a meaning: in the configuration, by name or id, or in the chat template. */
async function usedElsewhere(source: string, { config }: Checkpoint): Promise<(text: string, id: number) => boolean> {
  const files = ['tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja'];
  const texts = await Promise.all(files.map((name) => readFile(join(source, name), 'utf8').catch(() => '')));
  // a listing of all added tokens gives none of them a meaning
  const spoken = texts.map((text, index) => (files[index]?.endsWith('.json') ? withoutListing(text) : text)).join('\n');
  const ids = new Set([config.bosTokenId, ...config.eosTokenIds]);
  return (text, id) => ids.has(id) || spoken.includes(text);
}

function withoutListing(text: string): string {
  if (text === '') return text;
  const { added_tokens_decoder: _, additional_special_tokens: __, ...rest }: Record<string, unknown> = JSON.parse(text);
  return JSON.stringify(rest);
}
