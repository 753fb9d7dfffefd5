import type { UpstreamSettings } from '../config/schema/backend.ts';
import type { Dialect, Wire } from './upstream/dialect.ts';
import { loadLocalModel } from './upstream/local-model.ts';
import { vllmDialect } from './vllm/dialect.ts';
import { createEmbeddingsWire } from './vllm/wire.ts';

const dialects = {
  vllm: vllmDialect,
  tgi: vllmDialect,
  llamacpp: vllmDialect,
  sglang: vllmDialect,
} as const satisfies Record<UpstreamSettings['kind'], Dialect>;

export function dialectOf({ kind }: UpstreamSettings): Dialect {
  return dialects[kind];
}

/** With the files that the settings name; `obtain` gives a model's directory by its name or path. Throws what reading them throws. */
export async function loadWire(settings: UpstreamSettings, obtain: (model: string) => Promise<string>): Promise<Wire> {
  const { modelDirectory } = settings;
  const local = modelDirectory === undefined ? null : await loadLocalModel(await obtain(modelDirectory));
  if (settings.kind === 'vllm' && settings.wire !== 'virtual-tokens') return createEmbeddingsWire(settings.wire, local);
  return createEmbeddingsWire('chat', local);
}
