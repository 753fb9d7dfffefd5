import { noPrompt, softPrompt, textPrompt } from '../../dro/answers/prompt-under-test.ts';
import type { TestedCondition } from '../../dro/evaluation/collect.ts';
import type { PromptVersion } from '../../prompts/registry.ts';

export interface ConditionOptions {
  artifact: PromptVersion;
  /** Texts given by hand. */
  texts: readonly string[];
  compared: readonly PromptVersion[];
}

/** What the artifact is held against: nothing, its own text, other texts, other artifacts; last the artifact itself. Throws what loading rows throws. */
export async function testedConditions({ artifact, texts, compared }: ConditionOptions): Promise<TestedCondition[]> {
  const conditions: TestedCondition[] = [{ name: 'none', role: 'none', digest: null, prompt: noPrompt }];
  const { text } = artifact.manifest;
  if (text !== undefined) conditions.push(textCondition('own text', 'own-text', text));
  for (const [index, given] of texts.entries()) {
    const name = texts.length === 1 ? 'text' : `text ${index + 1}`;
    conditions.push(textCondition(name, 'text', given));
  }
  const digests = new Set([artifact.digest]);
  for (const version of compared) {
    if (digests.has(version.digest)) continue;
    digests.add(version.digest);
    conditions.push(await softCondition(version, 'compared'));
  }
  conditions.push(await softCondition(artifact, 'artifact'));
  return conditions;
}

function textCondition(name: string, role: TestedCondition['role'], text: string): TestedCondition {
  return { name, role, digest: null, prompt: textPrompt(name, text) };
}

async function softCondition(version: PromptVersion, role: TestedCondition['role']): Promise<TestedCondition> {
  const { label, digest, manifest } = version;
  return { name: label, role, digest, prompt: softPrompt(await version.load(), manifest.position) };
}
