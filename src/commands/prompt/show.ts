import { readPromptTensor } from '../../prompts/artifact.ts';
import type { PromptEvaluation } from '../../prompts/manifest.ts';
import { type Output, writeResult } from '../output.ts';
import { openPrompts, type ReadOptions } from './directories.ts';

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
    ...(manifest.testSetReads === undefined ? [] : [`  test split  read ${times(manifest.testSetReads)}`]),
    ...(manifest.text === undefined ? [] : ['', manifest.text]),
  ];
  writeResult(options.json, { directory, digest, tokens, dtype, manifest }, lines.join('\n'), output);
}

function evaluationLines({ set, n, label, detector, sampling, ...rates }: PromptEvaluation): string[] {
  const measured = [
    ['complied', rates.complianceRate] as const,
    ['refused', rates.refusalRate] as const,
    ['partly refused', rates.partialRate] as const,
  ];
  const what = [set, `${n} ${label === undefined ? '' : `${label} `}queries`];
  if (typeof sampling['protocol'] === 'string') what.push(sampling['protocol']);
  return measured.flatMap(([verb, figures]) => {
    if (figures === undefined) return [];
    const { compared = {}, ...own } = figures;
    const shown = Object.entries({ ...own, ...compared }).map(([under, { rate, interval }]) => {
      const [low, high] = interval.map(percent);
      return `${under} ${percent(rate)}% (${low} to ${high})`;
    });
    return [`  evaluation  ${what.join(', ')}, ${verb}: ${shown.join(', ')}; ${detector}`];
  });
}

function percent(rate: number): string {
  return (100 * rate).toFixed(1);
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
