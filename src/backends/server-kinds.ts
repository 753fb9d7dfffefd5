import type { UpstreamSettings } from '../config/schema/backend.ts';
import { llamacppDialect } from './llamacpp/dialect.ts';
import { sglangDialect } from './sglang/dialect.ts';
import { tgiDialect } from './tgi/dialect.ts';
import type { Dialect, Wire } from './upstream/dialect.ts';
import { loadLocalModel } from './upstream/local-model.ts';
import { createBan } from './virtual-tokens/ban.ts';
import { loadSpelledPrompts } from './virtual-tokens/graft.ts';
import { createVirtualTokenWire } from './virtual-tokens/wire.ts';
import { vllmDialect } from './vllm/dialect.ts';
import { createEmbeddingsWire } from './vllm/wire.ts';

const dialects = {
  vllm: vllmDialect,
  tgi: tgiDialect,
  llamacpp: llamacppDialect,
  sglang: sglangDialect,
} as const satisfies Record<UpstreamSettings['kind'], Dialect>;

export function dialectOf({ kind }: UpstreamSettings): Dialect {
  return dialects[kind];
}

/** With the files that the settings name; `obtain` gives a model's directory by its name or path. Throws what reading them throws. */
export async function loadWire(settings: UpstreamSettings, obtain: (model: string) => Promise<string>): Promise<Wire> {
  const { modelDirectory, controlTokens } = settings;
  const local = modelDirectory === undefined ? null : await loadLocalModel(await obtain(modelDirectory));
  if (settings.kind === 'vllm' && settings.wire !== 'virtual-tokens') return createEmbeddingsWire(settings.wire, local);
  const prompts = await loadSpelledPrompts(settings.graft ?? null);
  const banned = settings.kind !== 'tgi' && settings.banVirtualTokens;
  // What llama.cpp has for never. The others take numbers only.
  const ban = banned ? createBan(prompts, settings.kind === 'llamacpp' ? 'false' : '-100') : null;
  return createVirtualTokenWire({ prompts, local, controlTokens, readFields: dialectOf(settings).readFields, ban });
}
