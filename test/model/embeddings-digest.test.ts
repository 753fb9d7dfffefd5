import t from 'tap';
import { embeddingsDigest } from '../../src/model/embeddings-digest.ts';
import { tinyEmbeddingsSha256, tinyModel, weightsOf } from './obtain/support/tiny-model.ts';

const weights = weightsOf(tinyModel());
const INDEX = 'model.safetensors.index.json';

t.test('it is the SHA-256 of the tensor’s bytes, in one file or in a shard', async (t) => {
  t.equal(await embeddingsDigest(t.testdir({ 'model.safetensors': weights })), tinyEmbeddingsSha256);
  const index = JSON.stringify({ weight_map: { 'model.embed_tokens.weight': 'model-00002-of-00002.safetensors' } });
  const sharded = t.testdir({ [INDEX]: index, 'model-00002-of-00002.safetensors': weights });
  t.equal(await embeddingsDigest(sharded), tinyEmbeddingsSha256);
});

t.test('what is not a checkpoint is a clear error', async (t) => {
  const map = (file: string) => JSON.stringify({ weight_map: { 'model.embed_tokens.weight': file } });
  const cases: [Record<string, string | Buffer>, string][] = [
    [{}, 'file_unreadable'],
    [{ 'model.safetensors': weights.subarray(0, 100) }, 'format_invalid'],
    [{ [INDEX]: 'not json' }, 'format_invalid'],
    [{ [INDEX]: '{}' }, 'format_invalid'],
    [{ [INDEX]: '{"weight_map":{}}' }, 'model_unsupported'],
    [{ [INDEX]: map('../../secret.safetensors') }, 'format_invalid'],
    [{ [INDEX]: map('absent.safetensors') }, 'file_unreadable'],
  ];
  for (const [files, code] of cases) {
    await t.rejects(embeddingsDigest(t.testdir(files)), { code }, `${Object.keys(files)} ${code}`);
  }
});
