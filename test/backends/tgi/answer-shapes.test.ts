import fc from 'fast-check';
import t from 'tap';
import { inOpenAiShape } from '../../../src/backends/tgi/answer-shapes.ts';
import { readTgiAnswer } from '../../../src/backends/tgi/read-answer.ts';

async function events(chunks: readonly string[]): Promise<string> {
  async function* body() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const answer = readTgiAnswer({ kind: 'relayed', status: 200, headers: {}, events: true, body: body() });
  let text = '';
  for await (const bytes of answer.body) text += Buffer.from(bytes).toString();
  return text;
}

t.test('what has OpenAI’s shape is left alone, whatever it is', async (t) => {
  for (const value of [
    null,
    1,
    'x',
    [],
    {},
    { choices: [null, {}] },
    { choices: [{ finish_reason: 'stop' }] },
    { error: {} },
  ]) {
    t.equal(inOpenAiShape(value), null);
  }
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      inOpenAiShape(value);
      inOpenAiShape({ choices: [value, { message: value, delta: { tool_calls: value } }] });
    }),
  );
});

t.test('events are cut anywhere and come whole, unchanged where nothing is to change', async (t) => {
  const stream =
    'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n: comment\n\ndata: {"choices":[{"index":0,"text":"b","finish_reason":""}]}\n\ndata: [DONE]\n\n';
  const expected = stream.replace('""', 'null');
  for (let size = 1; size < stream.length; size += 7) {
    const chunks = Array.from({ length: Math.ceil(stream.length / size) }, (_, at) =>
      stream.slice(at * size, (at + 1) * size),
    );
    t.equal(await events(chunks), expected);
  }
});

t.test('half an event stays half an event: the answer has broken off', async (t) => {
  t.equal(await events(['data: {"choices":[]}\n\ndata: {"cho']), 'data: {"choices":[]}\n\n:');
});
