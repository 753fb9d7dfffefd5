import fc from 'fast-check';
import t from 'tap';
import { describe, PreambleError } from '../../../src/errors.ts';
import type { ChatDelta } from '../../../src/openai/chat.ts';
import { readConversation } from '../../../src/openai/responses/conversation.ts';
import type { ResponseEvent } from '../../../src/openai/responses/events.ts';
import { asPart, type ChatPart } from '../../../src/openai/responses/read-chat.ts';
import { parseResponsesRequest } from '../../../src/openai/responses/request.ts';
import { newResponse, type OutputItem } from '../../../src/openai/responses/response.ts';
import { toChatRequest } from '../../../src/openai/responses/to-chat.ts';
import { translateAnswer } from '../../../src/openai/responses/translate-answer.ts';
import { finalOf, part, translate } from './support.ts';

/** Runs it and says whether it returned or threw a one-line error for the client; anything else escapes. */
async function foreseen(run: () => unknown): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (!(error instanceof PreambleError)) throw error;
    return error.status === 400 && !describe(error).includes('\n');
  }
}

const text = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('c1', 'c2', 'f'));
/** Mostly the one, so that whole requests get through; now and then something else. */
const mostly = <Value>(usual: fc.Arbitrary<Value>, ...others: fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 30, arbitrary: usual }, ...others.map((arbitrary) => ({ weight: 1, arbitrary })));

const textPart = fc.record({ type: fc.constantFrom('input_text', 'output_text'), text });
const refusalPart = fc.record({ type: fc.constant('refusal'), refusal: text });
const imagePart = fc.record({
  type: fc.constant('input_image'),
  image_url: text,
  detail: fc.constantFrom('low', 'original', null),
});
const contentPart = mostly(fc.oneof(textPart, refusalPart), imagePart, fc.jsonValue());
const content = fc.oneof(text, fc.array(contentPart, { minLength: 1, maxLength: 3 }));
const role = fc.constantFrom('user', 'assistant', 'system', 'developer');
const call = fc.record({ type: fc.constant('function_call'), call_id: text, name: text, arguments: text });
const item = mostly(
  fc.oneof(fc.record({ role, content }), call, fc.record({ type: fc.constant('reasoning'), id: text })),
  fc.record({ type: fc.constant('function_call_output'), call_id: text, output: content }),
  fc.record({ type: fc.constantFrom('item_reference', 'x'), id: text }),
  fc.jsonValue(),
);
const tool = mostly(
  fc.record(
    {
      type: fc.constant('function'),
      name: text,
      parameters: fc.dictionary(text, fc.jsonValue()),
      strict: fc.boolean(),
    },
    { requiredKeys: ['type', 'name'] },
  ),
  fc.jsonValue(),
);
const named = fc.record({ type: fc.constant('function'), name: text });
const format = fc.oneof(
  fc.record({ type: fc.constant('json_schema'), name: text, schema: fc.dictionary(text, fc.jsonValue()) }),
  fc.record({ type: fc.constantFrom('json_object', 'text') }),
);
const known = fc.record(
  {
    model: text,
    input: mostly(fc.oneof(text, fc.array(item, { minLength: 1, maxLength: 6 })), fc.jsonValue()),
    instructions: text,
    tools: fc.array(tool, { maxLength: 3 }),
    tool_choice: mostly(
      fc.constantFrom('auto', 'none'),
      named,
      fc.record({ type: fc.constant('allowed_tools'), mode: fc.constant('auto'), tools: fc.array(named) }),
      fc.jsonValue(),
    ),
    text: mostly(fc.record({ format }), fc.jsonValue()),
    reasoning: mostly(fc.record({ effort: text }), fc.jsonValue()),
    previous_response_id: mostly(fc.constant(null), text),
    temperature: mostly(fc.constantFrom(0.5, null), fc.double()),
    top_logprobs: mostly(fc.nat(20), fc.integer()),
    stream: mostly(fc.boolean(), fc.jsonValue()),
    seed: fc.integer(),
    metadata: fc.dictionary(text, text),
  },
  { requiredKeys: ['model', 'input'] },
);

async function translateRequest(body: unknown): Promise<void> {
  const asked = parseResponsesRequest(body);
  const { request, body: bytes } = toChatRequest(asked, await readConversation(asked, null, 'tenant'));
  if (JSON.stringify(request) !== Buffer.from(bytes).toString())
    throw new Error('what is handed on is another request');
}

t.test('any JSON is translated or refused in one line', async (t) => {
  const any = fc.asyncProperty(fc.jsonValue(), (body) => foreseen(() => translateRequest(body)));
  await t.resolves(fc.assert(any));
  const near = fc.asyncProperty(known, fc.dictionary(fc.string(), fc.jsonValue()), (body, more) =>
    foreseen(() => translateRequest({ ...more, ...body })),
  );
  await t.resolves(fc.assert(near, { numRuns: 500 }));
});

t.test('what parses is a chat request that chat completions takes, if its conversation holds together', async (t) => {
  const good = fc.record({
    model: fc.string({ minLength: 1 }),
    input: fc.array(
      fc.record({
        role: fc.constantFrom('user', 'assistant', 'system', 'developer'),
        content: fc.oneof(
          fc.string(),
          fc.array(fc.record({ type: fc.constant('input_text'), text: fc.string() }), { minLength: 1 }),
        ),
      }),
      { minLength: 1 },
    ),
  });
  await t.resolves(fc.assert(fc.asyncProperty(good, (body) => translateRequest(body))));
});

/** Deltas as a server may send them: text, refusals, and calls in their order. */
const deltas = fc
  .array(
    fc.oneof(
      fc.record({ content: fc.string() }),
      fc.record({ refusal: fc.string() }),
      fc.record({ name: fc.string({ minLength: 1 }), pieces: fc.array(fc.string(), { maxLength: 4 }) }),
    ),
    { maxLength: 8 },
  )
  .map((spoken): ChatDelta[] => {
    let calls = 0;
    return spoken.flatMap((said): ChatDelta[] => {
      if (!('name' in said)) return [said];
      const index = calls++;
      const begin = { index, id: `call_${index}`, function: { name: said.name, arguments: '' } };
      const rest = said.pieces.map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] }));
      return [{ tool_calls: [begin] }, ...rest];
    });
  });

const streamOf = (all: readonly ChatDelta[]) => [...all.map((delta) => part(delta)), part({}, 'stop')];

t.test(
  'whatever comes, events are numbered, items open and close in turn, and deltas make up what is done',
  async (t) => {
    const consistent = fc.property(deltas, (all) => {
      const events = translate(streamOf(all));
      const numbered = events.every((event, index) => event.sequence_number === index);
      const { output } = finalOf(events);
      const items = events.flatMap((event) =>
        event.type === 'response.output_item.added' || event.type === 'response.output_item.done'
          ? [event.output_index]
          : [],
      );
      const inTurn = output.flatMap((_, index) => [index, index]);
      return (
        numbered &&
        output.length > 0 &&
        JSON.stringify(items) === JSON.stringify(inTurn) &&
        output.every((one) => isHeard(one, heardIn(events)))
      );
    });
    t.doesNotThrow(() => fc.assert(consistent, { numRuns: 300 }));
  },
);

/** What the deltas add up to, by item and part. */
function heardIn(events: readonly ResponseEvent[]): Map<string, string> {
  const heard = new Map<string, string>();
  for (const event of events) {
    if (!('delta' in event)) continue;
    const key = `${event.item_id} ${'content_index' in event ? event.content_index : ''}`;
    heard.set(key, (heard.get(key) ?? '') + event.delta);
  }
  return heard;
}

function isHeard(item: OutputItem, heard: ReadonlyMap<string, string>): boolean {
  if (item.type === 'function_call') return item.arguments === (heard.get(`${item.id} `) ?? '');
  return item.content.every((said, index) => {
    const full = said.type === 'refusal' ? said.refusal : said.text;
    return full === (heard.get(`${item.id} ${index}`) ?? '');
  });
}

t.test('a whole answer and its stream make the same response', async (t) => {
  const said = fc.record({
    content: fc.option(fc.string()),
    refusal: fc.option(fc.string()),
    calls: fc.array(fc.record({ name: fc.string({ minLength: 1 }), arguments: fc.string() }), { maxLength: 3 }),
  });
  const same = fc.property(said, ({ content: words, refusal, calls }) => {
    const called = calls.map((call, index) => ({ id: `c${index}`, type: 'function' as const, function: call }));
    const message = { content: words, refusal, ...(called.length > 0 ? { tool_calls: called } : {}) };
    const whole = asPart({ choices: [{ index: 0, message, finish_reason: 'stop' }] });
    const pieces: ChatPart[] = [
      ...[...(words ?? '')].map((letter) => part({ content: letter })),
      ...[...(refusal ?? '')].map((letter) => part({ refusal: letter })),
      ...called.map((call, index) => part({ tool_calls: [{ ...call, index }] })),
      part({}, 'stop'),
    ];
    return JSON.stringify(outputOf([whole])) === JSON.stringify(outputOf(pieces));
  });
  t.doesNotThrow(() => fc.assert(same, { numRuns: 300 }));
});

/** Under one id, so that two can be compared. */
function outputOf(parts: readonly ChatPart[]): OutputItem[] {
  const asked = parseResponsesRequest({ model: 'm', input: 'Hi' });
  const translation = translateAnswer(newResponse(asked, `resp_${'0'.repeat(32)}`, false));
  for (const one of parts) translation.push(one);
  translation.close();
  return translation.response().output;
}
