import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createChatTemplate, loadChatTemplate } from '../../../src/model/chat/chat-template.ts';
import { encodeChat } from '../../../src/model/chat/encode-chat.ts';
import type { ChatMessage } from '../../../src/model/chat/template-messages.ts';
import { smollm2 } from '../tokenizer/smollm2.ts';

const tokenizer = smollm2();
const softPrompt = { label: 'p@1.0.0', digest: '', tokens: 1, hiddenSize: 1, values: new Float32Array(1) };

function show(source: string, messages: ChatMessage[], position: 'system' | 'user' = 'system'): string {
  const template = createChatTemplate(new Map([['default', source]]), {}, 'test');
  return encodeChat(tokenizer, template, messages, { softPrompt, position, addGenerationPrompt: true })
    .map((segment) => ('tokens' in segment ? tokenizer.decode(segment.tokens) : '⟦P⟧'))
    .join('');
}

const conversation = [
  { role: 'system', content: ' Be terse. ' },
  { role: 'user', content: ' Hi ' },
];

t.test('a template that trims', async (t) => {
  const source = '{% for m in messages %}{{ m.role }}:{{ m.content | trim }};{% endfor %}';
  t.equal(show(source, conversation), 'system:⟦P⟧\n Be terse.;user:Hi;');
  t.equal(show(source, conversation, 'user'), 'system:Be terse.;user:⟦P⟧\n Hi;');
});

t.test('a template that takes lists of parts only', async (t) => {
  const source =
    '{% for m in messages %}{{ m.role }}:{% for part in m.content %}{{ part.text }}|{% endfor %};{% endfor %}';
  t.equal(show(source, conversation), 'system:⟦P⟧| Be terse. |;user: Hi |;');
  t.equal(show(source, conversation.slice(1)), 'system:⟦P⟧|;user: Hi |;');
  t.equal(show(source, conversation, 'user'), 'system: Be terse. |;user:⟦P⟧| Hi |;');
});

t.test('a template that takes both gets lists, as from vLLM', async (t) => {
  const source =
    '{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}[{{ part.text }}]{% endfor %}{% endif %};{% endfor %}';
  t.equal(show(source, conversation), '[⟦P⟧][ Be terse. ];[ Hi ];');
});

t.test('a template that would print a list of system parts gets text', async (t) => {
  const source =
    "{% for m in messages %}{% if m.role == 'user' and m.content is not string %}{% for part in m.content %}{{ part.text }}{% endfor %}{% else %}{{ m.content }}{% endif %};{% endfor %}";
  t.equal(show(source, conversation), '⟦P⟧\n Be terse. ; Hi ;');
});

t.test('a template that leaves system messages out', async (t) => {
  const source = "{% for m in messages if m.role != 'system' %}{{ m.content }};{% endfor %}";
  t.equal(show(source, conversation), '⟦P⟧\n Hi ;');
});

t.test('a template that repeats what holds the soft prompt', async (t) => {
  const source =
    "{% for m in messages %}{{ m.content }};{% endfor %}{{ messages[0].content if messages | length > 2 else '' }}";
  t.equal(show(source, conversation), '⟦P⟧\n Be terse. ; Hi ;');
  t.throws(() => show(source, [...conversation, { role: 'assistant', content: 'x' }]), {
    code: 'model_unsupported',
    message: /2 times/,
  });
});

t.test('a template’s own control tokens are recognised, next to user text that spells them', async (t) => {
  const source = "{% for m in messages %}<|im_{{ 'start' }}|>{{ m.content }}<|im_end|>{% endfor %}";
  const template = createChatTemplate(new Map([['default', source]]), {}, 'test');
  const encode = (content: string) =>
    encodeChat(tokenizer, template, [{ role: 'user', content }], {
      softPrompt: null,
      position: 'system',
      addGenerationPrompt: true,
    }).flatMap((segment) => ('tokens' in segment ? segment.tokens : []));
  t.strictSame(encode('hi'), tokenizer.encode('<|im_start|>hi<|im_end|>'));
  t.strictSame(encode('<|im_end|>'), [1, ...tokenizer.encode('<|im_end|>', { controlTokens: false }), 2]);
  // the template completes what the user began, and the other way round
  t.strictSame(encode('<|im_start|'), [1, ...tokenizer.encode('<|im_start|', { controlTokens: false }), 2]);
});

t.test('a template that builds markup around a name', async (t) => {
  const source = '{% for tool in tools %}<{{ tool.function.name }}>{% endfor %}{{ messages[0].content }}';
  const template = createChatTemplate(new Map([['default', source]]), {}, 'test');
  const tools = [{ type: 'function', function: { name: 'reponame' } }];
  const [segment] = encodeChat(tokenizer, template, [{ role: 'user', content: 'hi' }], {
    softPrompt: null,
    position: 'system',
    addGenerationPrompt: true,
    tools,
  });
  t.strictSame(segment, { tokens: tokenizer.encode('<reponame>hi', { controlTokens: false }) });
});

t.test('is read from its own file, from the configuration, or as one of several', async (t) => {
  const render = async (directory: string, tools: object[] | null = null) => {
    const template = await loadChatTemplate(directory);
    return template?.render({ messages: [], tools, addGenerationPrompt: false });
  };
  const directory = t.testdir({ 'tokenizer_config.json': '{}' });
  const config = (value: unknown) => writeFile(join(directory, 'tokenizer_config.json'), JSON.stringify(value));
  t.equal(await loadChatTemplate(directory), null);
  await config({ chat_template: 'one {{ bos_token }}', bos_token: { content: '<s>' } });
  t.equal(await render(directory), 'one <s>');
  const named = [
    { name: 'default', template: 'plain' },
    { name: 'tool_use', template: 'tools' },
  ];
  await config({ chat_template: named });
  t.equal(await render(directory), 'plain');
  t.equal(await render(directory, [{}]), 'tools');
  await config({ chat_template: named.slice(1) });
  t.equal(await render(directory), 'tools');
  await config({ chat_template: [{ name: 'rag', template: 'r' }, ...named.slice(1)] });
  await t.rejects(render(directory), { code: 'model_unsupported', message: /rag, tool_use/ });
  await config({ chat_template: 'one', eos_token: '</s>' });
  await writeFile(join(directory, 'chat_template.jinja'), 'file {{ eos_token }}');
  t.equal(await render(directory), 'file </s>');
});

t.test('what can’t be read is refused', async (t) => {
  const directory = t.testdir({ 'tokenizer_config.json': '{"chat_template": 7}' });
  await t.rejects(loadChatTemplate(directory), { code: 'format_invalid' });
  await writeFile(join(directory, 'tokenizer_config.json'), '{"chat_template": "{% for %}"}');
  await t.rejects(loadChatTemplate(directory), { code: 'model_unsupported', message: /can't be read/ });
  await mkdir(join(directory, 'other', 'tokenizer_config.json'), { recursive: true });
  await t.rejects(loadChatTemplate(join(directory, 'other')), { code: 'file_unreadable' });
});
