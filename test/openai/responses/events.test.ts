import t from 'tap';
import { encodeResponseEvent, type ResponseEvent } from '../../../src/openai/responses/events.ts';
import { asOpenAiEvent, asOpenAiResponse, begun, finalOf, part, translate, usage } from './support.ts';

const typesOf = (events: readonly ResponseEvent[]) => events.map(({ type }) => type);
const firstCall = { index: 0, id: 'call_a', type: 'function' as const, function: { name: 'f', arguments: '' } };

t.test('a text: every event in its order, numbered, with what it has at that time', async (t) => {
  const events = translate([
    part({ role: 'assistant', content: '' }),
    part({ content: 'Hel' }),
    part({ content: 'lo' }),
    part({}, 'stop'),
    usage,
  ]);
  t.strictSame(typesOf(events), [
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ]);
  t.strictSame(
    events.map((event) => event.sequence_number),
    events.map((_, index) => index),
  );
  const id = String(finalOf(events).output[0]?.id);
  t.match(id, /^msg_[0-9a-f]{32}_0$/);
  const place = { item_id: id, output_index: 0, content_index: 0 };
  const full = { type: 'output_text', text: 'Hello', annotations: [], logprobs: [] };
  t.match(events[0], { response: { status: 'in_progress', output: [], completed_at: null } });
  t.strictSame(events[2], {
    type: 'response.output_item.added',
    output_index: 0,
    item: { id, type: 'message', status: 'in_progress', role: 'assistant', content: [] },
    sequence_number: 2,
  });
  t.match(events[3], { ...place, part: { ...full, text: '' } });
  t.match(events[4], { ...place, delta: 'Hel', logprobs: [] });
  t.match(events[6], { ...place, text: 'Hello' });
  t.match(events[7], { ...place, part: full });
  t.match(events[8], { item: { id, status: 'completed', content: [full] } });
  t.match(finalOf(events), {
    status: 'completed',
    completed_at: Number,
    error: null,
    incomplete_details: null,
    output: [{ id, status: 'completed', content: [full] }],
    usage: {
      input_tokens: 11,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 16,
    },
  });
  t.equal(events.map(asOpenAiEvent).length, events.length);
  t.equal(asOpenAiResponse(finalOf(events)).object, 'response');
});

t.test('calls: each is an item of its own, done before the next begins', async (t) => {
  const events = translate([
    part({ content: 'Let me see.' }),
    part({ tool_calls: [firstCall] }),
    part({ tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] }),
    part({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }),
    part({ tool_calls: [{ index: 1, id: 'call_b', function: { name: 'g', arguments: '{}' } }] }),
    part({}, 'tool_calls'),
  ]);
  t.strictSame(typesOf(events).slice(2), [
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.output_item.added',
    'response.function_call_arguments.delta',
    'response.function_call_arguments.delta',
    'response.function_call_arguments.done',
    'response.output_item.done',
    'response.output_item.added',
    'response.function_call_arguments.delta',
    'response.function_call_arguments.done',
    'response.output_item.done',
    'response.completed',
  ]);
  t.match(events[8], { output_index: 1, item: { status: 'in_progress', name: 'f', arguments: '', call_id: 'call_a' } });
  t.match(events[11], { output_index: 1, item_id: /^fc_[0-9a-f]{32}_1$/, name: 'f', arguments: '{"a":1}' });
  t.match(finalOf(events).output, [
    { type: 'message' },
    { type: 'function_call', id: /^fc_/, call_id: 'call_a', name: 'f', arguments: '{"a":1}', status: 'completed' },
    { type: 'function_call', id: /^fc_/, call_id: 'call_b', name: 'g', arguments: '{}', status: 'completed' },
  ]);
});

t.test('a call whose name comes late is held until then; one without an id gets one', async (t) => {
  const events = translate([
    part({ tool_calls: [{ index: 0, function: { arguments: '{' } }] }),
    part({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '}' } }] }),
    part({}, 'tool_calls'),
  ]);
  t.match(finalOf(events).output, [{ name: 'f', arguments: '{}', call_id: /^call_[0-9a-f]{32}$/ }]);
});

t.test('a refusal is a part of its own', async (t) => {
  const events = translate([
    part({ content: 'Well. ' }),
    part({ refusal: 'I can' }),
    part({ refusal: 'not.' }),
    part({}, 'stop'),
  ]);
  t.strictSame(typesOf(events).slice(4), [
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.content_part.added',
    'response.refusal.delta',
    'response.refusal.delta',
    'response.refusal.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ]);
  t.match(events[7], { content_index: 1, part: { type: 'refusal', refusal: '' } });
  t.match(events[10], { content_index: 1, refusal: 'I cannot.' });
  t.match(finalOf(events).output, [{ content: [{ text: 'Well. ' }, { type: 'refusal', refusal: 'I cannot.' }] }]);
});

for (const [reason, why] of [
  ['length', 'max_output_tokens'],
  ['content_filter', 'content_filter'],
] as const) {
  t.test(`an answer that ended by ${reason} is incomplete`, async (t) => {
    const events = translate([part({ content: 'Hel' }), part({}, reason)]);
    t.equal(events.at(-1)?.type, 'response.incomplete');
    const incomplete = { status: 'incomplete', completed_at: null, incomplete_details: { reason: why } };
    t.match(finalOf(events), { ...incomplete, output: [{ status: 'incomplete', content: [{ text: 'Hel' }] }] });
  });
}

t.test('an answer of nothing is an empty message', async (t) => {
  const events = translate([part({ content: '' }), part({}, 'stop')]);
  t.match(finalOf(events).output, [{ type: 'message', content: [{ type: 'output_text', text: '' }] }]);
  t.notOk(typesOf(events).includes('response.output_text.delta'));
});

t.test('probabilities go along with the text', async (t) => {
  const token = { token: 'Hi', logprob: -0.5, bytes: [72, 105] };
  const events = translate(
    [
      part({ content: 'Hi' }, null, {
        content: [{ ...token, top_logprobs: [token, { ...token, bytes: null }] }],
        refusal: null,
      }),
      part({}, 'stop'),
    ],
    { top_logprobs: 2 },
  );
  const logprobs = [{ ...token, top_logprobs: [token, { ...token, bytes: [] }] }];
  t.match(events[3], { part: { text: '', logprobs: [] } });
  t.strictSame(events[3]?.type === 'response.content_part.added' && events[3].part, {
    type: 'output_text',
    text: '',
    annotations: [],
    logprobs: [],
  });
  t.match(events[4], { delta: 'Hi', logprobs });
  t.match(events[5], { text: 'Hi', logprobs });
  t.match(finalOf(events).output, [{ content: [{ logprobs }] }]);
});

t.test('what breaks off fails, with what there was until then', async (t) => {
  const translation = begun();
  translation.begin();
  translation.push(part({ content: 'Hel' }));
  t.throws(() => translation.close(), { code: 'upstream_broken' });
  const events = translation.fail({ message: 'It broke.', code: 'upstream_broken', param: null }, false);
  t.strictSame(typesOf(events), ['error', 'response.failed']);
  t.match(events[1], {
    response: {
      status: 'failed',
      error: { code: 'server_error', message: 'It broke.' },
      output: [{ status: 'incomplete', content: [{ text: 'Hel' }] }],
    },
  });
  const told = { message: 'It broke.', code: 'upstream_broken', param: null };
  t.match(events[0], { type: 'error', ...told, error: told, sequence_number: 5 });
  t.equal(events.map(asOpenAiEvent).length, 2);
});

for (const reason of ['abort', 'error', null]) {
  t.test(`an end by ${reason} is no end`, async (t) => {
    t.throws(() => translate([part({ content: 'x' }), part({}, reason)]), { code: 'upstream_broken' });
  });
}

t.test('tool calls that make no sense are refused', async (t) => {
  const call = (index: number) => part({ tool_calls: [{ ...firstCall, index }] });
  t.throws(() => translate([call(1), call(0)]), { code: 'upstream_invalid', message: /out of order/ });
  t.throws(() => translate([call(0), call(200)]), { code: 'upstream_invalid', message: /out of order/ });
  t.throws(() => translate([call(0), part({ content: 'x' }), call(0)]), { message: /went back/ });
  t.throws(() => translate([part({ tool_calls: [{ index: 0 }] }), part({}, 'tool_calls')]), {
    message: /without a name/,
  });
});

t.test('other choices than the one that was asked for are passed over', async (t) => {
  const other = { index: 1, delta: { content: 'x' }, logprobs: null, finish_reason: 'stop' };
  const events = translate([{ choices: [other] }, part({ content: 'y' }), part({}, 'stop')]);
  t.strictSame(
    events.flatMap((event) => ('delta' in event ? [event.delta] : [])),
    ['y'],
  );
});

t.test('on the wire: the type, then the data, on one line each', async (t) => {
  const [first] = translate([part({ content: 'a\nb' }), part({}, 'stop')]);
  if (first === undefined) throw new Error('no events');
  const lines = encodeResponseEvent(first).split('\n');
  t.equal(lines[0], 'event: response.created');
  t.strictSame(JSON.parse(String(lines[1]).replace(/^data: /, '')), JSON.parse(JSON.stringify(first)));
  t.strictSame(lines.slice(2), ['', '']);
});
