import { openEngineSource } from '../../dro/answers/engine-source.ts';
import { noPrompt, softPrompt, textPrompt } from '../../dro/answers/prompt-under-test.ts';
import type { QueryGroup, TestedCondition } from '../../dro/evaluation/collect.ts';
import { evaluatePrompt } from '../../dro/evaluation/evaluate.ts';
import { greedyProtocol } from '../../dro/evaluation/protocol.ts';
import type { EvaluationReport } from '../../dro/evaluation/report.ts';
import { type Query, queryLabels } from '../../dro/queries/query.ts';
import { digestOfQueries } from '../../dro/queries/query-digest.ts';
import type { WeightPrecision } from '../../engine/decoder/weights.ts';
import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';
import { evaluationProgress } from '../evaluate/progress.ts';
import type { Output } from '../output.ts';

export interface DevEvaluation {
  directory: string;
  modelId: string;
  dev: readonly Query[];
  /** The split's file. */
  name: string;
  weights: WeightPrecision;
  position: PromptPosition;
  /** What training started from. */
  text: string;
  /** What vPT had made of it, where it came first. */
  first: SoftPrompt | null;
  trained: SoftPrompt;
}

const MAX_TOKENS = 64;
const SEED = 1;

/**
 * The trained prompt on the dev split beside no prompt, its text, and vPT's, for the report. The step was chosen on this split, so these
 * figures flatter: what goes into a manifest comes from `preamble evaluate`.
 */
export async function evaluateOnDev(
  { directory, modelId, dev, name, weights, position, text, first, trained }: DevEvaluation,
  output: Output,
  signal: AbortSignal,
): Promise<EvaluationReport> {
  const conditions: TestedCondition[] = [
    { name: 'none', role: 'none', digest: null, prompt: noPrompt },
    { name: 'own text', role: 'own-text', digest: null, prompt: textPrompt('own text', text) },
    ...(first === null ? [] : [softCondition('vPT', 'compared', first, position)]),
    softCondition(trained.label, 'artifact', trained, position),
  ];
  const set = { name, sha256: digestOfQueries(dev) };
  const groups = queryLabels.map(
    (label): QueryGroup => ({ set, label, queries: dev.filter((query) => query.label === label) }),
  );
  const source = await openEngineSource(directory, { weights });
  const progress = evaluationProgress(output);
  try {
    const { report } = await evaluatePrompt({
      artifact: { label: trained.label, digest: trained.digest },
      model: modelId,
      source,
      conditions,
      groups,
      protocols: [greedyProtocol({ maxTokens: MAX_TOKENS, seed: SEED })],
      unprompted: null,
      guard: null,
      signal,
      onProgress: progress.onProgress,
    });
    return report;
  } finally {
    progress.stop();
    await source.close();
  }
}

function softCondition(
  name: string,
  role: TestedCondition['role'],
  prompt: SoftPrompt,
  position: PromptPosition,
): TestedCondition {
  return { name, role, digest: prompt.digest, prompt: softPrompt(prompt, position) };
}
