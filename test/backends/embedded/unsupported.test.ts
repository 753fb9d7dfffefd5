import t from 'tap';
import {
  ignoredFields,
  refuseUnsupportedChat,
  refuseUnsupportedCompletion,
} from '../../../src/backends/embedded/unsupported.ts';
import { parseChatCompletionRequest } from '../../../src/openai/chat.ts';
import { parseCompletionRequest } from '../../../src/openai/completions.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const chat = (fields: object) => parseChatCompletionRequest({ model: 'm', messages, ...fields });
const completion = (fields: object) => parseCompletionRequest({ model: 'm', prompt: 'x', ...fields });

t.test('a chat that would be answered wrongly is refused with the field at fault', async (t) => {
  const cases: [fields: object, param: string][] = [
    [{ response_format: { type: 'json_schema', json_schema: {} } }, 'response_format'],
    [{ response_format: { type: 'json_object' } }, 'response_format'],
    [{ tool_choice: 'required' }, 'tool_choice'],
    [{ tool_choice: { type: 'function', function: { name: 'f' } } }, 'tool_choice'],
    [{ function_call: { name: 'f' } }, 'function_call'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ audio: { voice: 'x' } }, 'audio'],
    [{ messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }, 'messages[0].content[0]'],
  ];
  for (const [fields, param] of cases) {
    const refused = { code: 'unsupported_parameter', param, message: /^[^\n]+\.$/, action: /\S/ };
    t.throws(() => refuseUnsupportedChat(chat(fields)), refused, JSON.stringify(fields));
  }
  for (const fields of [
    {},
    { response_format: { type: 'text' } },
    { tools: [{ type: 'function' }], tool_choice: 'auto', function_call: 'none' },
    { modalities: ['text'], audio: null },
    { messages: [{ role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }] },
  ]) {
    t.doesNotThrow(() => refuseUnsupportedChat(chat(fields)), JSON.stringify(fields));
  }
});

t.test('so is a completion', async (t) => {
  for (const [fields, param] of [
    [{ suffix: 'x' }, 'suffix'],
    [{ echo: true }, 'echo'],
    [{ best_of: 2 }, 'best_of'],
  ] as const) {
    t.throws(() => refuseUnsupportedCompletion(completion(fields)), { code: 'unsupported_parameter', param });
  }
  for (const fields of [{}, { suffix: '' }, { echo: false }, { n: 2, best_of: 2 }]) {
    t.doesNotThrow(() => refuseUnsupportedCompletion(completion(fields)));
  }
});

t.test('fields that are not read, or change nothing, are named', async (t) => {
  const request = chat({ temperature: 1, tools: [], guided_json: {}, metadata: null, user: 'x' });
  t.strictSame(ignoredFields(request, 'chat'), ['tools', 'guided_json', 'metadata']);
  t.strictSame(ignoredFields(completion({ messages, echo: false }), 'completion'), ['messages']);
});
