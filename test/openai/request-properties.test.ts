import fc from 'fast-check';
import t from 'tap';
import { describe, PreambleError } from '../../src/errors.ts';
import { chatCompletionFields, parseChatCompletionRequest } from '../../src/openai/chat.ts';
import { completionFields, parseCompletionRequest } from '../../src/openai/completions.ts';
import { refuseClientEmbeddings } from '../../src/openai/hostile.ts';

/** Runs it and says whether it returned or threw a one-line error for the client; anything else escapes. */
function foreseen(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!(error instanceof PreambleError)) throw error;
    return error.status === 400 && !describe(error).includes('\n');
  }
}

for (const [name, fields, parse] of [
  ['chat', chatCompletionFields, parseChatCompletionRequest],
  ['completion', completionFields, parseCompletionRequest],
] as const) {
  t.test(`${name}: any JSON in any field is taken or refused in one line`, async (t) => {
    const bodies = fc.dictionary(fc.oneof(fc.constantFrom(...fields), fc.string()), fc.jsonValue());
    const valid = { model: 'm', prompt: 'x', messages: [{ role: 'user', content: 'x' }] };
    t.doesNotThrow(() => fc.assert(fc.property(fc.jsonValue(), (body) => foreseen(() => parse(body)))));
    t.doesNotThrow(() => fc.assert(fc.property(bodies, (body) => foreseen(() => parse({ ...valid, ...body })))));
  });
}

t.test('the guards take any JSON', async (t) => {
  const json = fc.jsonValue({ maxDepth: 6 });
  const guard = (body: unknown) => foreseen(() => refuseClientEmbeddings(body));
  t.doesNotThrow(() => fc.assert(fc.property(json, guard)));
  t.doesNotThrow(() => fc.assert(fc.property(json, (messages) => guard({ messages }))));
});
