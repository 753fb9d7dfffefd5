import t, { type Test } from 'tap';
import { decodeTorchSave } from '../../../src/formats/torch-save/read.ts';
import { writePrompt } from '../../../src/prompts/artifact-write.ts';
import { promptFromText } from '../../../src/prompts/from-text.ts';
import { buildProxy, question } from '../../helpers/build-proxy.ts';
import { type Received, startFakeVllm } from '../../helpers/fake-vllm.ts';
import { temporaryDirectory } from '../../helpers/redis.ts';
import { tinyChatModel } from '../../helpers/tiny-model.ts';
import { tinyModelDirectory } from '../../prompts/support/tiny.ts';

const wanted = { name: 'tiny/kind', version: '1.0.0', text: 'Be kind to everyone.' } as const;

async function start(t: Test, position: 'system' | 'user') {
  const fake = await startFakeVllm(t, { hiddenSize: 32 });
  const directory = await temporaryDirectory(t);
  const { content, tensor } = await promptFromText(tinyModelDirectory, { ...wanted, position });
  await writePrompt(directory, content, tensor);
  const settings = {
    files: { model: await tinyChatModel() },
    backend: { wire: 'completions', modelDirectory: './model' },
    more: { promptDirectories: [directory] },
  };
  const plain = await buildProxy(t, [fake], { ...settings, prompt: null });
  const proxy = await buildProxy(t, [fake], { ...settings, prompt: wanted.name });
  return { fake, plain, proxy, tensor, rows: Buffer.from(tensor.bytes) };
}

function sentRows(received: Received | undefined) {
  const { prompt_embeds: data } = JSON.parse(String(received?.body));
  return decodeTorchSave(Buffer.from(String(data), 'base64'), 'request').tensor;
}

for (const position of ['system', 'user'] as const) {
  t.test(`a soft prompt's rows stand in the conversation, as they are (${position})`, async (t) => {
    const { fake, plain, proxy, tensor, rows: own } = await start(t, position);
    const answer = await proxy.post(question);
    t.equal(answer.status, 200, answer.text);
    t.equal(answer.headers.get('x-preamble-prompt'), 'tiny/kind@1.0.0');
    t.match(answer.json(), { object: 'chat.completion', choices: [{ message: { content: 'Good day.' } }] });
    const rows = sentRows(fake.received.at(-1));
    t.match(rows, { dtype: tensor.dtype, columns: 32 });
    const at = Buffer.from(rows.bytes).indexOf(own);
    t.ok(at > 0 && at % (rows.bytes.length / rows.rows) === 0, 'whole rows, behind what the template begins with');

    await plain.post(question);
    const without = sentRows(fake.received.at(-1));
    t.ok(rows.rows >= without.rows + tensor.tokens);
    t.notOk(Buffer.from(without.bytes).includes(own));
    t.match(proxy.decisions().at(-1), { prompt: { name: 'tiny/kind' }, decision: 'complied', stream: false });
  });
}

t.test('in a stream, and in front of a raw completion', async (t) => {
  const { fake, proxy, rows: own } = await start(t, 'system');
  const streamed = await proxy.post({ ...question, stream: true });
  t.match(streamed.text, /"object":"chat\.completion\.chunk".*\[DONE\]/s);
  t.ok(Buffer.from(sentRows(fake.received.at(-1)).bytes).includes(own));
  const raw = await proxy.post({ model: question.model, prompt: 'Once' }, { path: '/v1/completions' });
  t.equal(raw.status, 200, raw.text);
  const { bytes } = sentRows(fake.received.at(-1));
  t.ok(Buffer.from(bytes).includes(own));
  t.match(proxy.decisions(), [
    { stream: true, prompt: { name: 'tiny/kind' } },
    { stream: false, prompt: { name: 'tiny/kind' } },
  ]);
});
