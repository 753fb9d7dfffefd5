import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { readSafetensorsHeader, readTensor } from '../../../../src/formats/safetensors.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/transformer');

const ids = Type.Array(Type.Integer());

const answerSchema = Type.Object({
  messages: Type.Array(Type.Object({ role: Type.String(), content: Type.String() })),
  /** The rendered conversation with the generation prompt. */
  promptIds: ids,
  /** The greedy answer; the end token does not end it. */
  ids,
  /** The smallest distance between the two largest logits of a step, and which step that is. */
  margin: Type.Number(),
  marginStep: Type.Integer(),
});

export type RecordedAnswer = Static<typeof answerSchema>;

/** transformers' greedy answers of the default model (record_smollm2.py). */
export async function recordedAnswers(): Promise<RecordedAnswer[]> {
  const text = await readFile(join(fixtures, 'smollm2-greedy.json'), 'utf8');
  return Value.Parse(Type.Object({ answers: Type.Array(answerSchema) }), JSON.parse(text)).answers;
}

export const SAMPLED_STRIDE = 48;

export interface RecordedLogits {
  /** `[vocabSize]` after the last position of the first conversation's prompt. */
  last: Float32Array;
  /** `[positions, vocabSize / SAMPLED_STRIDE]`: every 48th logit of each position. */
  sampled: Float32Array;
}

export async function recordedLogits(): Promise<RecordedLogits> {
  const path = join(fixtures, 'smollm2-logits.safetensors');
  const { tensors } = await readSafetensorsHeader(path);
  const read = async (name: string) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`${path} holds no ${name}`);
    return await readTensor(path, tensor);
  };
  return { last: await read('last'), sampled: await read('sampled') };
}
