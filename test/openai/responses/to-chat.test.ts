import type { ResponseCreateParams } from 'openai/resources/responses/responses';
import t from 'tap';
import type { ChatMessage } from '../../../src/openai/chat.ts';
import { readConversation } from '../../../src/openai/responses/conversation.ts';
import { parseResponsesRequest } from '../../../src/openai/responses/request.ts';
import { toChatRequest } from '../../../src/openai/responses/to-chat.ts';

/** As a client sends it, with the types of OpenAI's own package. */
async function translated(body: ResponseCreateParams) {
  const asked = parseResponsesRequest(body);
  const { request, body: bytes } = toChatRequest(asked, await readConversation(asked, null, 'tenant'));
  return { request, handedOn: JSON.parse(Buffer.from(bytes).toString()) };
}

async function messagesOf(body: Omit<ResponseCreateParams, 'model'>): Promise<ChatMessage[]> {
  return (await translated({ model: 'm', ...body })).request.messages;
}

const weather = {
  type: 'function' as const,
  name: 'weather',
  description: 'Now',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: true,
};
const weatherInChat = {
  type: 'function',
  function: { name: 'weather', description: 'Now', parameters: weather.parameters, strict: true },
};

t.test('a text is what the user says, and instructions stand first', async (t) => {
  t.strictSame(await messagesOf({ input: 'Hi' }), [{ role: 'user', content: 'Hi' }]);
  t.strictSame(await messagesOf({ input: 'Hi', instructions: 'Be brief.' }), [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
  ]);
  t.strictSame(await messagesOf({ input: 'Hi', instructions: '' }), [{ role: 'user', content: 'Hi' }]);
});

t.test('messages of all roles, with and without a type, in text and in parts', async (t) => {
  const messages = await messagesOf({
    input: [
      { role: 'developer', content: 'D' },
      { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'S' }] },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'What is this?' },
          { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'low' },
          { type: 'input_image', image_url: 'data:image/png;base64,BBBB', detail: 'original' },
        ],
      },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [
          { type: 'output_text', text: 'A ', annotations: [] },
          { type: 'output_text', text: 'cat.', annotations: [] },
        ],
      },
      { type: 'reasoning', id: 'rs_1', summary: [] },
      {
        id: 'msg_2',
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'refusal', refusal: 'No.' }],
      },
      { role: 'assistant', content: 'In one string.' },
    ],
  });
  t.strictSame(messages, [
    { role: 'developer', content: 'D' },
    { role: 'system', content: 'S' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,BBBB', detail: 'high' } },
      ],
    },
    { role: 'assistant', content: 'A cat.' },
    { role: 'assistant', content: 'No.' },
    { role: 'assistant', content: 'In one string.' },
  ]);
});

t.test('calls of one turn stand in one message, with the text before them; results follow by id', async (t) => {
  const call = (call_id: string) => ({
    type: 'function_call' as const,
    call_id,
    name: 'f',
    arguments: `{"n":"${call_id}"}`,
  });
  const output = (call_id: string) => ({ type: 'function_call_output' as const, call_id, output: `r${call_id}` });
  const inChat = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: `{"n":"${id}"}` } });
  const messages = await messagesOf({
    input: [
      { role: 'user', content: 'Go' },
      { role: 'assistant', content: 'Let me see.' },
      call('1'),
      call('2'),
      output('1'),
      output('2'),
      call('3'),
      { type: 'function_call_output', call_id: '3', output: [{ type: 'input_text', text: 'r3' }] },
      { type: 'function_call_output', call_id: '3', output: [] },
      { role: 'assistant', content: 'Done.' },
    ],
  });
  t.strictSame(messages, [
    { role: 'user', content: 'Go' },
    { role: 'assistant', content: 'Let me see.', tool_calls: [inChat('1'), inChat('2')] },
    { role: 'tool', tool_call_id: '1', content: 'r1' },
    { role: 'tool', tool_call_id: '2', content: 'r2' },
    { role: 'assistant', content: null, tool_calls: [inChat('3')] },
    { role: 'tool', tool_call_id: '3', content: 'r3' },
    { role: 'tool', tool_call_id: '3', content: '' },
    { role: 'assistant', content: 'Done.' },
  ]);
});

t.test('a text after the calls of its turn joins them', async (t) => {
  const call = { type: 'function_call' as const, call_id: '1', name: 'f', arguments: '{}' };
  const messages = await messagesOf({ input: [call, { role: 'assistant', content: 'Wait.' }] });
  t.match(messages, [{ role: 'assistant', content: 'Wait.', tool_calls: [{ id: '1' }] }]);
  t.equal(messages.length, 1);
});

t.test('a result without its call, an empty input, and ids that nobody keeps are refused', async (t) => {
  const output = { type: 'function_call_output' as const, call_id: '1', output: 'r' };
  await t.rejects(messagesOf({ input: [output] }), { code: 'invalid_request', param: 'input[0].call_id' });
  await t.rejects(messagesOf({ input: [] }), { code: 'invalid_request', param: 'input' });
  await t.rejects(messagesOf({ input: [{ type: 'item_reference', id: 'msg_1' }] }), {
    code: 'unsupported_parameter',
    param: 'input[0]',
    message: /no Redis/,
  });
  await t.rejects(messagesOf({ input: [{ id: 'msg_1' }] }), { message: /no Redis/ });
  await t.rejects(messagesOf({ input: 'Hi', previous_response_id: `resp_${'0'.repeat(32)}` }), {
    code: 'unsupported_parameter',
    param: 'previous_response_id',
    message: /no Redis/,
  });
});

t.test('fields by their names in chat completions; others stay behind', async (t) => {
  const { request, handedOn } = await translated({
    model: 'm',
    input: 'Hi',
    stream: true,
    temperature: 0.5,
    top_p: 0.9,
    max_output_tokens: 7,
    top_logprobs: 3,
    include: ['message.output_text.logprobs'],
    user: 'someone',
    reasoning: { effort: 'low' },
    text: { verbosity: 'low' },
    metadata: { a: 'b' },
    store: false,
    tools: [weather],
    parallel_tool_calls: false,
  });
  t.strictSame(request, {
    model: 'm',
    temperature: 0.5,
    top_p: 0.9,
    user: 'someone',
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
    stream_options: { include_usage: true },
    max_completion_tokens: 7,
    logprobs: true,
    top_logprobs: 3,
    tools: [weatherInChat],
    parallel_tool_calls: false,
    reasoning_effort: 'low',
    verbosity: 'low',
  });
  t.strictSame(handedOn, request, 'a backend that hands it on sends the same');
});

t.test('what servers add to chat completions means the same here', async (t) => {
  const extra = { seed: 5, stop: ['x'], top_k: 3, min_p: 0.1, repetition_penalty: 1.1, logit_bias: { '5': 1 } };
  const asked = parseResponsesRequest({ model: 'm', input: 'Hi', ...extra });
  t.match(toChatRequest(asked, [{ role: 'user', content: 'Hi' }]).request, extra);
});

t.test('formats of the text', async (t) => {
  const format = async (wanted: NonNullable<ResponseCreateParams['text']>['format']) =>
    (await translated({ model: 'm', input: 'Hi', text: wanted ? { format: wanted } : {} })).request.response_format;
  t.equal(await format(undefined), undefined);
  t.equal(await format({ type: 'text' }), undefined);
  t.strictSame(await format({ type: 'json_object' }), { type: 'json_object' });
  const schema = { type: 'object', properties: {} };
  t.strictSame(await format({ type: 'json_schema', name: 'n', schema, strict: true, description: 'd' }), {
    type: 'json_schema',
    json_schema: { name: 'n', schema, strict: true, description: 'd' },
  });
});

t.test('tool choices', async (t) => {
  const other = { ...weather, name: 'other' };
  const choice = async (tool_choice: NonNullable<ResponseCreateParams['tool_choice']>, tools = [weather, other]) => {
    const { request } = await translated({ model: 'm', input: 'Hi', tools, tool_choice });
    return [request.tool_choice, request.tools?.length];
  };
  t.strictSame(await choice('auto'), [undefined, 2]);
  t.strictSame(await choice('none'), ['none', 2]);
  t.strictSame(await choice('required'), ['required', 2]);
  t.strictSame(await choice({ type: 'function', name: 'other' }), [
    { type: 'function', function: { name: 'other' } },
    2,
  ]);
  const allowed = { type: 'allowed_tools' as const, tools: [{ type: 'function', name: 'other' }] };
  t.strictSame(await choice({ ...allowed, mode: 'required' }), ['required', 1]);
  t.strictSame(await choice('none', []), [undefined, undefined], 'servers refuse a choice without tools');
});
