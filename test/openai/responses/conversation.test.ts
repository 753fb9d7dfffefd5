import t from 'tap';
import { readConversation, toState } from '../../../src/openai/responses/conversation.ts';
import { parseResponsesRequest } from '../../../src/openai/responses/request.ts';
import { readResponseState } from '../../../src/openai/responses/store.ts';
import { createMemoryResponseStore } from '../../helpers/memory-response-store.ts';
import { finalOf, part, translate } from './support.ts';

const question = [{ role: 'user' as const, content: 'Weather?' }];
const answer = finalOf(
  translate([
    part({ content: 'Let me see.' }),
    part({ tool_calls: [{ index: 0, id: 'call_1', function: { name: 'f', arguments: '{}' } }] }),
    part({}, 'tool_calls'),
  ]),
);
const state = toState(answer, question);
const said = {
  role: 'assistant',
  content: 'Let me see.',
  tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
};
const output = { type: 'function_call_output', call_id: 'call_1', output: 'Sun.' };
const asked = (fields: object) => parseResponsesRequest({ model: 'm', ...fields });

async function store() {
  const kept = createMemoryResponseStore();
  await kept.save('a', answer.id, state);
  return kept;
}

t.test('a state holds the conversation with the answer, survives JSON, and is nothing else', async (t) => {
  t.strictSame(state.messages, [...question, said]);
  t.strictSame(readResponseState(JSON.parse(JSON.stringify(state))), JSON.parse(JSON.stringify(state)));
  for (const broken of [null, 5, {}, { response: {}, messages: [{ role: 'root' }] }, { messages: [] }]) {
    t.equal(readResponseState(broken), null);
  }
});

t.test('a request goes on from a previous response, whose calls its results may name', async (t) => {
  const request = asked({ previous_response_id: answer.id, input: [output] });
  t.strictSame(await readConversation(request, await store(), 'a'), [
    ...question,
    said,
    { role: 'tool', tool_call_id: 'call_1', content: 'Sun.' },
  ]);
  t.strictSame(state.messages, [...question, said], 'what is kept is not changed by it');
});

t.test('calls that follow on a kept assistant message do not change what is kept', async (t) => {
  const kept = await store();
  const shared = { ...kept, load: async () => state };
  const call = { type: 'function_call', call_id: 'call_2', name: 'g', arguments: '{}' };
  const messages = await readConversation(asked({ previous_response_id: answer.id, input: [call] }), shared, 'a');
  t.match(messages.at(-1)?.tool_calls, [{ id: 'call_1' }, { id: 'call_2' }]);
  t.strictSame(state.messages, [...question, said]);
});

t.test('another tenant, an unknown id and a malformed one find nothing', async (t) => {
  for (const [tenant, id] of [
    ['b', answer.id],
    ['a', `resp_${'0'.repeat(32)}`],
    ['a', 'resp_../../x'],
  ] as const) {
    await t.rejects(readConversation(asked({ previous_response_id: id, input: 'Hi' }), await store(), tenant), {
      code: 'invalid_request',
      param: 'previous_response_id',
      message: /no previous response/,
    });
  }
});

t.test('a reference stands for the item, wherever it is', async (t) => {
  const [message, call] = answer.output;
  const input = [
    { role: 'user', content: 'Weather?' },
    { type: 'item_reference', id: message?.id },
    { id: call?.id },
    output,
  ];
  t.strictSame(await readConversation(asked({ input }), await store(), 'a'), [
    ...question,
    said,
    { role: 'tool', tool_call_id: 'call_1', content: 'Sun.' },
  ]);
  for (const [tenant, id] of [
    ['b', message?.id],
    ['a', `${message?.id.slice(0, -1)}7`],
    ['a', 'msg_1'],
  ] as const) {
    await t.rejects(readConversation(asked({ input: [{ type: 'item_reference', id }] }), await store(), tenant), {
      code: 'invalid_request',
      param: 'input[0]',
      message: /no item with this id/,
    });
  }
});

t.test('references to very many responses are refused', async (t) => {
  const input = Array.from({ length: 200 }, (_, index) => ({
    type: 'item_reference',
    id: `msg_${index.toString(16).padStart(32, '0')}_0`,
  }));
  const kept = { ...(await store()), load: async () => ({ response: { output: input }, messages: [] }) };
  await t.rejects(readConversation(asked({ input }), kept, 'a'), { message: /more than 128 responses|type/ });
});

t.test('a conversation that is too large is not kept', async (t) => {
  const long = Array.from({ length: 5 }, () => ({ role: 'user' as const, content: 'x'.repeat(4 * 2 ** 20) }));
  t.throws(() => toState(answer, long), { code: 'body_too_large' });
});
