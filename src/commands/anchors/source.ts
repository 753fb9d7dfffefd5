import { readSecret } from '../../config/secret.ts';
import type { AnchorModel, LazySource } from '../../dro/anchors/collect-anchors.ts';
import type { AnswerSource } from '../../dro/answers/answer-source.ts';
import { openEngineSource } from '../../dro/answers/engine-source.ts';
import { openServerSource } from '../../dro/answers/server-source.ts';
import type { WeightPrecision } from '../../engine/decoder/weights.ts';

export interface SourceOptions {
  server?: string[] | undefined;
  serverModel?: string | undefined;
  serverKeyEnv?: string | undefined;
  weights: WeightPrecision;
}

export interface ClosableSource extends LazySource {
  close(): Promise<void>;
}

/** The model servers of `--server`, else the engine, which is started when it is first needed. */
export async function chooseSource(
  model: AnchorModel,
  options: SourceOptions,
  signal: AbortSignal,
): Promise<ClosableSource> {
  const { server: urls, serverModel = null, serverKeyEnv, weights } = options;
  if (urls === undefined) return engineWhenNeeded(model.directory, weights);
  const apiKey = serverKeyEnv === undefined ? undefined : await readSecret({ env: serverKeyEnv });
  const { systemRole } = model.template.traits(false);
  const source = await openServerSource({ urls, model: serverModel, apiKey, systemRole }, signal);
  return { name: source.name, start: async () => source, close: source.close };
}

function engineWhenNeeded(directory: string, weights: WeightPrecision): ClosableSource {
  let started: Promise<AnswerSource> | undefined;
  return {
    name: `engine ${weights}`,
    start() {
      started ??= openEngineSource(directory, { weights });
      return started;
    },
    async close() {
      // A start that failed was told to whoever asked for an answer.
      const source = await started?.catch(() => null);
      await source?.close();
    },
  };
}
