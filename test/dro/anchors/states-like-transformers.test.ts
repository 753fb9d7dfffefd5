import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { layOutQueries } from '../../../src/dro/anchors/query-layout.ts';
import { computeStates } from '../../../src/dro/anchors/states.ts';
import { encodeQuery } from '../../../src/dro/answers/encode-query.ts';
import { noPrompt, softPrompt, textPrompt } from '../../../src/dro/answers/prompt-under-test.ts';
import { readSafetensorsHeader, readTensor } from '../../../src/formats/safetensors.ts';
import { loadChatTemplate } from '../../../src/model/chat/chat-template.ts';
import { openCheckpoint } from '../../../src/model/checkpoint.ts';
import { openEmbeddingTable } from '../../../src/model/embedding-table.ts';
import { defaultModelName } from '../../../src/model/known-models.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { loadTokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { relativeError } from '../../graph/support/gradients.ts';
import { never } from '../../helpers/default-engine.ts';
import { fixtureDirectory, fixtureNames } from '../../model/transformer/support/fixtures.ts';

/** 1e-6 is what float32 gives; 1e-3 is what was asked for. */
const LARGEST_ERROR = 1e-5;

async function recordedStates(path: string): Promise<Float32Array> {
  const location = (await readSafetensorsHeader(path)).tensors.get('states');
  if (location === undefined) throw new Error(`${path} holds no states`);
  return await readTensor(path, location);
}

const names = (await fixtureNames()).filter((name) => name !== 'llama-dynamic');

for (const name of names) {
  t.test(`${name}: rows of unlike lengths behind what they share`, async (t) => {
    const directory = fixtureDirectory(name);
    const rows: number[][] = JSON.parse(await readFile(join(directory, 'states.json'), 'utf8'));
    const layout = layOutQueries(rows.map((tokens) => [{ tokens }]));
    t.equal(layout.before.length, 8);
    const states = await computeStates(directory, layout, never, { threads: 1 });
    const error = relativeError([[...states]], [[...(await recordedStates(join(directory, 'states.safetensors')))]]);
    t.ok(error < LARGEST_ERROR, `relative error ${error.toExponential(1)}`);
  });
}

t.test('SmolLM2 in its chat template, under none, under a text, and under the rows of its tokens', async (t) => {
  const { directory } = await obtainModel(defaultModelName);
  const recording = join(fixtureDirectory('.'), 'smollm2-states');
  const { text, queries }: { text: string; queries: string[] } = JSON.parse(
    await readFile(`${recording}.json`, 'utf8'),
  );
  const expected = await recordedStates(`${recording}.safetensors`);
  const tokenizer = await loadTokenizer(directory);
  const template = await loadChatTemplate(directory);
  const checkpoint = await openCheckpoint(directory);
  if (template === null) throw new Error('it chats');
  const { hiddenSize } = checkpoint.config;
  const ids = tokenizer.encodeSection(text, false, 100);
  const values = new Float32Array(ids.length * hiddenSize);
  const table = openEmbeddingTable(checkpoint);
  table.read(ids, values, 0);
  table.close();
  const rows = { label: 'rows@1.0.0', digest: 'a'.repeat(64), tokens: ids.length, hiddenSize, values };
  const prompts = [noPrompt, textPrompt('careful', text), softPrompt(rows, 'system')];
  for (const [index, prompt] of prompts.entries()) {
    const encoded = queries.map((query) => encodeQuery({ tokenizer, template, contextLength: 1024 }, query, prompt));
    const layout = layOutQueries(encoded);
    const states = await computeStates(directory, layout, never);
    const from = Math.min(index, 1) * queries.length * hiddenSize;
    const error = relativeError([[...states]], [[...expected.subarray(from, from + states.length)]]);
    t.ok(error < LARGEST_ERROR, `${prompt.kind}: relative error ${error.toExponential(1)}`);
  }
});

t.test('an abort ends it with its reason, a model that cannot be read with what is wrong', async (t) => {
  const directory = fixtureDirectory('llama');
  const layout = layOutQueries([[{ tokens: [1, 2, 3] }], [{ tokens: [1, 4, 5, 6] }]]);
  const abort = new AbortController();
  const states = computeStates(directory, layout, abort.signal, { threads: 1 });
  abort.abort(new Error('enough'));
  await t.rejects(states, { message: 'enough' });
  await t.rejects(computeStates(t.testdir({}), layout, never), { code: 'file_unreadable' });
});
