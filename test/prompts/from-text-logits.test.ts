import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createOnnxDecoder } from '../../src/engine/decoder/onnx-decoder.ts';
import type { PromptSegment } from '../../src/engine/generation.ts';
import { createKeyValueCache } from '../../src/engine/key-value-cache.ts';
import { embedSegments } from '../../src/engine/sequence.ts';
import { type PromptContent, writePrompt } from '../../src/prompts/artifact-write.ts';
import { promptFromText } from '../../src/prompts/from-text.ts';
import { importPrompt } from '../../src/prompts/import.ts';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import type { SoftPrompt } from '../../src/prompts/soft-prompt.ts';
import type { PromptTensor } from '../../src/prompts/tensor.ts';
import { adapterDirectory, recorded, tinyModelDirectory } from './support/tiny.ts';

const TOLERANCE = 1e-4;
const target = { name: 'tiny/text', version: '1.0.0', position: 'system' } as const;

/** Through the disk, as a server gets it. */
async function written(t: Test, made: { content: PromptContent; tensor: PromptTensor }): Promise<SoftPrompt> {
  const root = t.testdir();
  await writePrompt(root, made.content, made.tensor);
  return await (await openPromptRegistry([root])).resolve('tiny/text').load();
}

/** The engine's own decoder on the tiny model: float32 logits after the last position. */
async function openTiny(t: Test): Promise<(prompt: readonly PromptSegment[]) => Promise<Float32Array>> {
  const decoder = await createOnnxDecoder({
    directory: tinyModelDirectory,
    weights: 'float32',
    cacheDirectory: join(tinyModelDirectory, '..'),
    contextLength: null,
    threads: 1,
  });
  t.teardown(() => decoder.close());
  return async (prompt) => {
    const embeddings = embedSegments(prompt, decoder);
    const positions = embeddings.length / decoder.hiddenSize;
    const cache = createKeyValueCache(decoder.shape, 1);
    return await decoder.step({ cache, firstRow: 0, batch: 1, positions, embeddings });
  };
}

function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? Number.NaN))), 0);
}

t.test("a text's prompt gives the logits of the text, ours and transformers'", async (t) => {
  const { text, textIds, questionIds, logits } = await recorded();
  const run = await openTiny(t);
  const softPrompt = await written(t, await promptFromText(tinyModelDirectory, { ...target, text }));
  t.equal(softPrompt.tokens, textIds.length);
  const question = { tokens: questionIds };
  const underPrompt = await run([{ softPrompt }, question]);
  const underText = await run([{ tokens: textIds }, question]);
  t.equal(underPrompt.length, 312);
  t.ok(furthest(underPrompt, underText) < TOLERANCE, 'the same text as tokens');
  t.ok(furthest(underPrompt, logits.text) < TOLERANCE, 'the same text in transformers');
  t.ok(furthest(underPrompt, logits.none) > 0.1, 'and the prompt matters');
});

t.test("an imported adapter gives the logits of PEFT's own model", async (t) => {
  const { questionIds, logits } = await recorded();
  const run = await openTiny(t);
  const imported = await importPrompt(adapterDirectory('text'), { ...target, modelDirectory: tinyModelDirectory });
  const underAdapter = await run([{ softPrompt: await written(t, imported) }, { tokens: questionIds }]);
  t.ok(furthest(underAdapter, logits.adapter) < TOLERANCE);
  t.ok(furthest(underAdapter, logits.text) > 0.1);
});
