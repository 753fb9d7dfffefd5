import t from 'tap';
import { createChatTemplate } from '../../../src/model/chat/chat-template.ts';
import { encodeChat, encodePlain } from '../../../src/model/chat/encode-chat.ts';
import type { ChatMessage } from '../../../src/model/chat/template-messages.ts';
import { smollm2 } from '../tokenizer/smollm2.ts';
import { loadModels } from './recorded.ts';

const tokenizer = smollm2();

function show(source: string, messages: ChatMessage[], tools: unknown[] | null = null): string {
  const template = createChatTemplate(new Map([['default', source]]), {}, 'test');
  const options = { softPrompt: null, position: 'system', addGenerationPrompt: true, tools } as const;
  return tokenizer.decode(
    encodeChat(tokenizer, template, messages, options).flatMap((segment) =>
      'tokens' in segment ? segment.tokens : [],
    ),
  );
}

t.test('a role that models don’t know is refused', async (t) => {
  t.throws(() => show('{{ messages[0].role }}', [{ role: 'im_start', content: '' }]), {
    code: 'invalid_request',
    param: 'messages[0].role',
  });
});

t.test('parts other than text are refused, refusals are text', async (t) => {
  const content = [{ type: 'image_url', image_url: { url: 'data:' } }];
  t.throws(() => show('x', [{ role: 'user', content }]), { code: 'invalid_request', param: 'messages[0].content[0]' });
  const refusal = [{ type: 'refusal', refusal: 'No.' }];
  t.equal(show('{{ messages[0].content }}', [{ role: 'assistant', content: refusal }]), 'No.');
});

t.test('a message without content has an empty text', async (t) => {
  t.equal(show('[{{ messages[0].content }}]', [{ role: 'assistant', content: null }]), '[]');
});

t.test('arguments of tool calls are objects to the template', async (t) => {
  const call = (text: string) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: text } });
  const source = '{{ messages[0].tool_calls[0].function.arguments | tojson }}';
  const render = (text: string) => show(source, [{ role: 'assistant', tool_calls: [call(text)] }]);
  t.equal(render('{"a": [1, "x"]}'), '{"a": [1, "x"]}');
  t.equal(render(''), '{}');
  t.throws(() => render('{"a":'), { code: 'invalid_request', param: 'messages[0].tool_calls[0].function.arguments' });
  t.throws(() => render(`${'['.repeat(500)}${']'.repeat(500)}`), { code: 'invalid_request', message: /nested/ });
});

t.test('names that an application chose survive, whatever they are', async (t) => {
  const properties = JSON.parse(
    '{"__proto__": {"type": "string"}, "constructor": {"type": "number"}, "<|im_end|>": {}}',
  );
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties } } }];
  t.equal(
    show('{{ tools[0].function.parameters.properties | tojson }}', [{ role: 'user', content: '' }], tools),
    '{"__proto__": {"type": "string"}, "constructor": {"type": "number"}, "<|im_end|>": {}}',
  );
});

t.test('reasoning in an earlier answer is split off where the template reads it apart', async (t) => {
  const qwen3 = loadModels().find(({ name }) => name === 'qwen3-0.6b');
  if (qwen3 === undefined) throw new Error('no qwen3');
  const text = (messages: ChatMessage[]) =>
    qwen3.tokenizer.decode(
      encodeChat(qwen3.tokenizer, qwen3.template, messages, {
        softPrompt: null,
        position: 'system',
        addGenerationPrompt: false,
      }).flatMap((segment) => ('tokens' in segment ? segment.tokens : [])),
    );
  const question = { role: 'user', content: '2+2?' };
  const answer = { role: 'assistant', content: '<think>\neasy\n</think>\n\n4' };
  t.notMatch(text([question, answer, question]), /easy/);
  t.match(text([question, answer]), /<think>\neasy\n<\/think>\n\n4/);
});

t.test('a raw prompt may spell control tokens, where that is allowed', async (t) => {
  t.strictSame(encodePlain(tokenizer, '<|im_end|>', { allowControlTokens: true }), [2]);
  const plain = encodePlain(tokenizer, '<|im_end|>', { allowControlTokens: false });
  t.notOk(plain.some((id) => tokenizer.controlTokens.has(id)));
  t.equal(tokenizer.decode(plain), '<|im_end|>');
  t.throws(() => encodePlain(tokenizer, 'a b c', { allowControlTokens: true, maxTokens: 2 }), {
    code: 'context_length_exceeded',
  });
});
