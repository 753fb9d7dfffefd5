import t from 'tap';
import { parseChatCompletionRequest } from '../../src/openai/chat.ts';

const messages = [{ role: 'user', content: 'Hello' }];

t.test('every field that is not known survives, at every level', async (t) => {
  const body = {
    model: 'm',
    messages: [
      {
        role: 'user',
        content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }],
        audio: { id: 'a' },
      },
    ],
    stream_options: { include_usage: true, more: 1 },
    guided_json: { type: 'object' },
    metadata: null,
  };
  t.strictSame(parseChatCompletionRequest(structuredClone(body)), body);
});

t.test('null for an optional field means that it was not given', async (t) => {
  const body = {
    model: 'm',
    messages,
    temperature: null,
    stop: null,
    n: null,
    logit_bias: null,
    tools: null,
    stream: null,
    unknown: null,
  };
  t.strictSame(parseChatCompletionRequest(body), { model: 'm', messages, unknown: null });
  t.equal(body.temperature, null, 'the body itself is left as it came');
});

t.test('all roles and the shapes of content', async (t) => {
  const conversation = [
    { role: 'system', content: 'S' },
    { role: 'developer', content: [{ type: 'text', text: 'D' }] },
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'data:,' } },
        { type: 'text', text: '' },
      ],
      name: null,
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'assistant', tool_calls: null, refusal: null, content: '' },
    { role: 'tool', tool_call_id: 'c', content: '1' },
  ];
  t.strictSame(parseChatCompletionRequest({ model: 'm', messages: conversation }).messages, conversation);
});

t.test('the ends of each range are allowed', async (t) => {
  for (const fields of [
    { temperature: 0 },
    { temperature: 2 },
    { top_p: 0 },
    { top_k: -1 },
    { max_tokens: 1 },
    { max_completion_tokens: 1_000_000_000 },
    { seed: -5 },
    { seed: Number.MAX_SAFE_INTEGER },
    { stop: 'x' },
    { stop: [] },
    { stop: Array.from({ length: 16 }, (_, i) => `${i}`) },
    { logit_bias: { 0: -100, 151999: 100 } },
    { logprobs: true, top_logprobs: 20 },
    { logprobs: false, top_logprobs: 0 },
    { n: 128 },
    { tool_choice: 'none' },
    { tool_choice: { type: 'function', function: { name: 'f' } } },
  ]) {
    t.doesNotThrow(() => parseChatCompletionRequest({ model: 'm', messages, ...fields }), JSON.stringify(fields));
  }
});

const refused: [fields: Record<string, unknown>, param: string, message: RegExp][] = [
  [{ model: undefined }, 'model', /Missing required field 'model'/],
  [{ model: 5 }, 'model', /must be of type string/],
  [{ model: '' }, 'model', /1 character/],
  [{ messages: undefined }, 'messages', /Missing required field 'messages'/],
  [{ messages: [] }, 'messages', /1 item/],
  [{ messages: 'Hello' }, 'messages', /must be of type array/],
  [{ messages: [5] }, 'messages[0]', /must be of type object/],
  [{ messages: [{ content: 'x' }] }, 'messages[0].role', /Missing/],
  [
    { messages: [{ role: 'root', content: 'x' }] },
    'messages[0].role',
    /must be one of "system", "developer", "user", "assistant", "tool"/,
  ],
  [{ messages: [...messages, { role: 'user' }] }, 'messages[1].content', /user message needs/],
  [{ messages: [{ role: 'system', content: null }] }, 'messages[0].content', /system message needs/],
  [{ messages: [{ role: 'user', content: 5 }] }, 'messages[0].content', /must be of type string or array or null/],
  [{ messages: [{ role: 'user', content: [] }] }, 'messages[0].content', /at least one/],
  [{ messages: [{ role: 'user', content: ['x'] }] }, 'messages[0].content[0]', /must be of type object/],
  [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages[0].content[0].text', /needs it/],
  [
    { messages: [{ role: 'user', content: [{ type: 'text', text: 3 }] }] },
    'messages[0].content[0].text',
    /must be of type string/,
  ],
  [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id', /needs it/],
  [{ temperature: 'NaN' }, 'temperature', /must be of type number/],
  [{ temperature: '0.5' }, 'temperature', /must be of type number/],
  [{ temperature: -0.1 }, 'temperature', />= 0/],
  [{ temperature: 2.1 }, 'temperature', /<= 2/],
  [{ temperature: JSON.parse('1e999') }, 'temperature', /must be of type number/],
  [{ repetition_penalty: JSON.parse('1e999') }, 'repetition_penalty', /must be of type number/],
  [{ repetition_penalty: 0 }, 'repetition_penalty', /0.01/],
  [{ top_p: 1.5 }, 'top_p', /<= 1/],
  [{ top_k: 2.5 }, 'top_k', /must be of type integer/],
  [{ min_p: -1 }, 'min_p', />= 0/],
  [{ max_tokens: 0 }, 'max_tokens', />= 1/],
  [{ max_tokens: -1 }, 'max_tokens', />= 1/],
  [{ max_tokens: '10' }, 'max_tokens', /must be of type integer/],
  [{ max_completion_tokens: 0 }, 'max_completion_tokens', />= 1/],
  [{ seed: 1.5 }, 'seed', /must be of type integer/],
  [{ seed: 2 ** 60 }, 'seed', /<= 9007199254740991/],
  [{ n: 0 }, 'n', />= 1/],
  [{ n: 129 }, 'n', /<= 128/],
  [{ stop: '' }, 'stop', /1 character/],
  [{ stop: ['x', ''] }, 'stop[1]', /1 character/],
  [{ stop: Array.from({ length: 17 }, () => 'x') }, 'stop', /16/],
  [{ stream: 'true' }, 'stream', /must be of type boolean/],
  [{ stream_options: { include_usage: 1 } }, 'stream_options.include_usage', /must be of type boolean or null/],
  [{ presence_penalty: 3 }, 'presence_penalty', /<= 2/],
  [{ logit_bias: { x: 1 } }, 'logit_bias.x', /not a field that is known/],
  [{ logit_bias: { 5: 101 } }, 'logit_bias[5]', /<= 100/],
  [{ logit_bias: { 5: '1' } }, 'logit_bias[5]', /must be of type number/],
  [{ logit_bias: [1] }, 'logit_bias', /must be of type object/],
  [{ logprobs: 5 }, 'logprobs', /must be of type boolean/],
  [{ top_logprobs: 5 }, 'top_logprobs', /needs 'logprobs'/],
  [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs', /<= 20/],
  [{ response_format: 'json' }, 'response_format', /must be of type object/],
  [{ tools: [{}] }, 'tools[0].type', /Missing/],
];

for (const [fields, param, message] of refused) {
  t.test(`refused: ${JSON.stringify(fields) ?? ''}`.slice(0, 120), async (t) => {
    const given = Object.entries({ model: 'm', messages, ...fields }).filter(([, value]) => value !== undefined);
    const body: unknown = Object.fromEntries(given);
    t.throws(() => parseChatCompletionRequest(body), {
      name: 'PreambleError',
      code: 'invalid_request',
      param,
      message,
    });
  });
}

for (const body of [null, 5, 'x', [], undefined, true]) {
  t.test(`a body that is ${JSON.stringify(body)} is refused`, async (t) => {
    t.throws(() => parseChatCompletionRequest(body), { code: 'invalid_request', message: /must be a JSON object/ });
  });
}
