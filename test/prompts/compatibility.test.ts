import t from 'tap';
import { assertPromptFits } from '../../src/prompts/compatibility.ts';
import type { PromptManifest } from '../../src/prompts/manifest.ts';
import type { ModelIdentity } from '../../src/prompts/model-identity.ts';
import { content } from './support/tiny.ts';

const manifest: PromptManifest = {
  format: 'preamble.prompt/1',
  created: '2026-11-24T05:00:00.000Z',
  tensor: { file: 'prompt.safetensors', sha256: 'c'.repeat(64) },
  ...content,
};
const model: ModelIdentity = { ...content.model, idIsVerified: false };
const otherEmbeddings = { embeddingsSha256: 'f'.repeat(64) };

t.test('a prompt fits the embeddings that it was made for, whatever they are called', (t) => {
  t.equal(assertPromptFits(manifest, model), 'sameEmbeddings');
  t.equal(assertPromptFits(manifest, { ...model, id: 'renamed' }), 'sameEmbeddings');
  t.end();
});

t.test('it fits another conversion of the same model, if the source of the name is sure', (t) => {
  t.equal(assertPromptFits(manifest, { ...model, ...otherEmbeddings, idIsVerified: true }), 'sameModelOtherConversion');
  const code = 'prompt_mismatch';
  t.throws(() => assertPromptFits(manifest, { ...model, ...otherEmbeddings }), { code, message: /embeddings' digest/ });
  t.throws(() => assertPromptFits(manifest, { ...model, ...otherEmbeddings, id: 'other', idIsVerified: true }), {
    code,
    message: /made for "preamble-tests\/tiny-chat" and does not fit "other"/,
  });
  t.end();
});

t.test('anything else that differs is named', (t) => {
  const differences: [Partial<ModelIdentity>, RegExp][] = [
    [{ architecture: 'qwen2' }, /the architecture is llama there, qwen2 here/],
    [{ hiddenSize: 8 }, /the hidden size is 4 there, 8 here/],
    [{ vocabSize: 1 }, /the size of the vocabulary is 312 there, 1 here/],
    [{ tokenizerSha256: 'f'.repeat(64) }, /the vocabulary's digest is bbbbbbbbbbbb… there, ffffffffffff… here/],
  ];
  for (const [difference, message] of differences) {
    t.throws(() => assertPromptFits(manifest, { ...model, ...difference, idIsVerified: true }), {
      code: 'prompt_mismatch',
      message,
    });
  }
  t.end();
});
