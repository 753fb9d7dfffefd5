import { readPromptTensor } from '../../prompts/artifact.ts';
import type { PromptManifest } from '../../prompts/manifest.ts';
import { type Output, writeResult } from '../output.ts';
import { openPrompts, type ReadOptions } from './directories.ts';

type Evaluation = PromptManifest['evaluation'][number];

export async function showPrompt(reference: string, options: ReadOptions, output: Output): Promise<void> {
  const { directory, digest, label, manifest } = (await openPrompts(options)).resolve(reference);
  const { tokens, hiddenSize, dtype } = await readPromptTensor(directory, manifest);
  const { model, training, signature } = manifest;
  const lines = [
    label,
    `  digest      ${digest}`,
    `  directory   ${directory}`,
    `  created     ${manifest.created}`,
    `  model       ${model.id} (${model.architecture}, embeddings ${model.embeddingsSha256.slice(0, 12)}…)`,
    `  rows        ${tokens} virtual tokens of ${hiddenSize} values, ${dtype}`,
    `  position    ${manifest.position}`,
    `  training    ${training === undefined ? 'none' : `${training.objective}, seed ${training.seed}, ${training.tool}`}`,
    `  signed by   ${signature === undefined ? 'nobody' : signature.keyId}`,
    ...(manifest.evaluation.length === 0 ? ['  evaluation  none'] : manifest.evaluation.flatMap(evaluationLines)),
    ...(manifest.text === undefined ? [] : ['', manifest.text]),
  ];
  writeResult(options.json, { directory, digest, tokens, dtype, manifest }, lines.join('\n'), output);
}

function evaluationLines({ set, n, detector, complianceRate, refusalRate }: Evaluation): string[] {
  const measured = [['complied', complianceRate] as const, ['refused', refusalRate] as const].flatMap(
    ([verb, figures]) => (figures === undefined ? [] : [{ verb, figures }]),
  );
  return measured.map(({ verb, figures }) => {
    const shown = Object.entries(figures).map(([under, { rate, interval }]) => {
      const [low, high] = interval.map(percent);
      return `${under} ${percent(rate)}% (${low} to ${high})`;
    });
    return `  evaluation  ${set}, ${n} queries, ${verb}: ${shown.join(', ')}; ${detector}`;
  });
}

function percent(rate: number): string {
  return (100 * rate).toFixed(1);
}
