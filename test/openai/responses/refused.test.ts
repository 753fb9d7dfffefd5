import t from 'tap';
import { parseResponsesRequest } from '../../../src/openai/responses/request.ts';

const tool = { type: 'function', name: 'f', parameters: {} };
const user = { role: 'user', content: 'Hi' };

const refused: [fields: Record<string, unknown>, param: string, message: RegExp][] = [
  [{ model: undefined }, 'model', /Missing required field/],
  [{ input: undefined }, 'input', /Missing required field/],
  [{ input: 5 }, 'input', /must be of type string or array/],
  [{ input: ['x'] }, 'input[0]', /must be of type object/],
  [{ input: [{ type: 5 }] }, 'input[0].type', /must be of type string/],
  [{ input: [user, { content: 'x' }] }, 'input[1].role', /Missing/],
  [{ input: [{ role: 'tool', content: 'x' }] }, 'input[0].role', /must be one of "user", "assistant"/],
  [{ input: [{ role: 'user' }] }, 'input[0].content', /Missing/],
  [{ input: [{ role: 'user', content: [] }] }, 'input[0].content', /at least one/],
  [{ input: [{ role: 'user', content: ['x'] }] }, 'input[0].content[0]', /must be of type object/],
  [{ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }, 'input[0].content[0].text', /Missing/],
  [
    { input: [{ role: 'assistant', content: [{ type: 'input_image', image_url: 'data:,' }] }] },
    'input[0].content[0]',
    /says text/,
  ],
  [{ input: [{ type: 'function_call', call_id: 'c', name: 'f' }] }, 'input[0].arguments', /Missing/],
  [{ input: [{ type: 'function_call', call_id: '', name: 'f', arguments: '' }] }, 'input[0].call_id', /1 character/],
  [{ input: [{ type: 'function_call_output', call_id: 'c', output: 5 }] }, 'input[0].output', /string or array/],
  [{ instructions: ['x'] }, 'instructions', /must be of type string/],
  [{ temperature: 3 }, 'temperature', /<= 2/],
  [{ top_p: -1 }, 'top_p', />= 0/],
  [{ max_output_tokens: 0 }, 'max_output_tokens', />= 1/],
  [{ top_logprobs: 21 }, 'top_logprobs', /<= 20/],
  [{ metadata: { a: 1 } }, 'metadata.a', /must be of type string/],
  [{ metadata: { a: 'x'.repeat(513) } }, 'metadata.a', /512/],
  [{ tools: [{}] }, 'tools[0].type', /Missing/],
  [{ tools: [{ type: 'function' }] }, 'tools[0].name', /Missing/],
  [{ tools: [{ ...tool, parameters: 'x' }] }, 'tools[0].parameters', /object or null/],
  [{ tool_choice: 'always' }, 'tool_choice', /must be one of none, auto, required/],
  [{ tool_choice: 'required' }, 'tool_choice', /needs a tool/],
  [{ tools: [tool], tool_choice: { type: 'function', name: 'g' } }, 'tool_choice.name', /no tool of the name "g"/],
  [
    {
      tools: [tool],
      tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'g' }] },
    },
    'tool_choice.tools[0].name',
    /no tool of the name "g"/,
  ],
  [{ text: { format: { type: 'xml' } } }, 'text.format.type', /must be one of/],
  [{ text: { format: { type: 'json_schema', schema: {} } } }, 'text.format.name', /Missing/],
  [{ reasoning: { effort: 5 } }, 'reasoning.effort', /string or null/],
];

const unsupported: [fields: Record<string, unknown>, param: string, message: RegExp][] = [
  [{ tools: [tool, { type: 'web_search' }] }, 'tools[1].type', /"web_search" is not here/],
  [{ tools: [{ type: 'mcp', server_label: 'x' }] }, 'tools[0].type', /"mcp"/],
  [{ tools: [tool], tool_choice: { type: 'file_search' } }, 'tool_choice', /"file_search"/],
  [{ input: [{ type: 'web_search_call', id: 'ws_1' }] }, 'input[0].type', /belongs to a tool that is not here/],
  [
    { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] },
    'input[0].content[0].type',
    /input_f/,
  ],
  [{ input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] }, 'input[0].content[0]', /file id/],
  [{ input: [{ role: 'user', content: [{ type: 'x'.repeat(1e6) }] }] }, 'input[0].content[0].type', /^.{100,200}$/],
  [{ include: ['file_search_call.results'] }, 'include[0]', /cannot be included/],
  [{ background: true }, 'background', /background/],
  [{ truncation: 'auto' }, 'truncation', /not shortened/],
  [{ conversation: 'conv_1' }, 'conversation', /not supported/],
  [{ prompt: { id: 'pmpt_1' } }, 'prompt', /not supported/],
  [{ context_management: [{ type: 'compaction' }] }, 'context_management', /not supported/],
];

for (const [code, cases] of [
  ['invalid_request', refused],
  ['unsupported_parameter', unsupported],
] as const) {
  for (const [fields, param, message] of cases) {
    t.test(`${code}: ${JSON.stringify(fields).slice(0, 100)}`, async (t) => {
      const given = Object.entries({ model: 'm', input: 'Hi', ...fields }).filter(([, value]) => value !== undefined);
      t.throws(() => parseResponsesRequest(Object.fromEntries(given)), { name: 'PreambleError', code, param, message });
    });
  }
}

t.test('what changes nothing is passed over, and null means not given', async (t) => {
  const fields = {
    background: false,
    truncation: 'disabled',
    include: ['reasoning.encrypted_content'],
    service_tier: 'auto',
    stream_options: { include_obfuscation: false },
    conversation: null,
    temperature: null,
    tools: null,
    text: { format: null },
    reasoning: { effort: null, summary: 'auto' },
    made_up: { by: 'a client' },
  };
  t.doesNotThrow(() => parseResponsesRequest({ model: 'm', input: 'Hi', ...fields }));
});

for (const body of [null, 5, 'x', [], undefined]) {
  t.test(`a body that is ${JSON.stringify(body)} is refused`, async (t) => {
    t.throws(() => parseResponsesRequest(body), { code: 'invalid_request', message: /must be a JSON object/ });
  });
}
