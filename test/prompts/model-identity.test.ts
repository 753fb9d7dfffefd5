import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { embeddingsDigest } from '../../src/model/embeddings-digest.ts';
import { type ProvenanceSource, writeProvenance } from '../../src/model/provenance.ts';
import { identifyModel } from '../../src/prompts/model-identity.ts';
import { tinyModelDirectory } from './support/tiny.ts';

const hub: ProvenanceSource = { kind: 'hub', repository: 'tiny/chat', revision: 'main' };
const gguf: ProvenanceSource = { kind: 'gguf', file: 'x.gguf', sha256: '0'.repeat(64) };

async function copyWith(directory: string, source: ProvenanceSource): Promise<string> {
  await cp(tinyModelDirectory, directory, { recursive: true });
  await writeProvenance(directory, {
    format: 'preamble.model/1',
    id: 'tiny/chat',
    source,
    files: [{ name: 'config.json', size: 1, sha256: '0'.repeat(64) }],
    embeddingsSha256: await embeddingsDigest(directory),
    obtained: '2026-11-24T00:00:00Z',
  });
  return directory;
}

t.test('a directory says who it is, but only a fetched one is believed', async (t) => {
  t.match(await identifyModel(tinyModelDirectory), {
    id: 'preamble-tests/tiny-chat',
    architecture: 'llama',
    hiddenSize: 32,
    vocabSize: 312,
    embeddingsSha256: /^[0-9a-f]{64}$/,
    tokenizerSha256: /^[0-9a-f]{64}$/,
    idIsVerified: false,
  });
  const root = t.testdir();
  t.match(await identifyModel(await copyWith(join(root, 'hub'), hub)), { id: 'tiny/chat', idIsVerified: true });
  t.match(await identifyModel(await copyWith(join(root, 'gguf'), gguf)), { id: 'tiny/chat', idIsVerified: false });
});

t.test('a fetched directory whose embeddings were changed since is no longer believed', async (t) => {
  const directory = await copyWith(join(t.testdir(), 'hub'), hub);
  const before = await identifyModel(directory);
  const path = join(directory, 'model.safetensors');
  const bytes = await readFile(path);
  const first = bytes.readUInt32LE(0) + 8;
  const { 'model.embed_tokens.weight': entry } = JSON.parse(bytes.toString('utf8', 8, first));
  bytes[first + entry.data_offsets[0]] = (bytes[first + entry.data_offsets[0]] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const after = await identifyModel(directory);
  t.equal(after.idIsVerified, false);
  t.not(after.embeddingsSha256, before.embeddingsSha256);
});
