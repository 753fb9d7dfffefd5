import t from 'tap';
import { type EncodeChatOptions, encodeChat } from '../../../src/model/chat/encode-chat.ts';
import type { ChatMessage } from '../../../src/model/chat/template-messages.ts';
import type { SoftPrompt } from '../../../src/prompts/soft-prompt.ts';
import { loadModels, type TestModel } from './recorded.ts';

const softPrompt: SoftPrompt = {
  label: 'test@1.0.0',
  digest: '0'.repeat(64),
  tokens: 3,
  hiddenSize: 2,
  values: new Float32Array(6),
};

/** The input as text, with the soft prompt's place shown as ⟦P⟧. */
function show({ tokenizer, template }: TestModel, messages: ChatMessage[], options: Partial<EncodeChatOptions> = {}) {
  return encodeChat(tokenizer, template, messages, {
    softPrompt,
    position: 'system',
    addGenerationPrompt: true,
    ...options,
  })
    .map((segment) => ('tokens' in segment ? tokenizer.decode(segment.tokens) : '⟦P⟧'))
    .join('');
}

/** What the template makes of the same messages when a text says where the soft prompt stands, encoded side by side. */
function expected({ tokenizer, template }: TestModel, messages: { role: string; content: string }[]) {
  return template
    .render({ messages, tools: null, addGenerationPrompt: true })
    .split('⟦P⟧')
    .map((side) => tokenizer.decode(tokenizer.encode(side)))
    .join('⟦P⟧');
}

const models = loadModels();
const user = { role: 'user', content: 'How are you?' };
const turns = [user, { role: 'assistant', content: 'Well.' }, { role: 'user', content: 'And now?' }];

for (const model of models.filter(({ systemRole }) => systemRole)) {
  t.test(`${model.name}: in the system message`, async (t) => {
    const own = { role: 'system', content: 'Be terse.' };
    const both = { role: 'system', content: '⟦P⟧\nBe terse.' };
    const alone = { role: 'system', content: '⟦P⟧' };
    t.equal(show(model, [own, user]), expected(model, [both, user]), 'in front of the application’s own text');
    t.equal(show(model, [own, ...turns]), expected(model, [both, ...turns]), 'with several turns');
    t.equal(show(model, [user]), expected(model, [alone, user]), 'in a system message of its own');
    t.equal(show(model, turns), expected(model, [alone, ...turns]));
    t.equal(
      show(model, [{ role: 'developer', content: 'Be terse.' }, user]),
      expected(model, [both, user]),
      'developer',
    );
    const parts = ['Be', 'terse.'].map((text) => ({ type: 'text', text }));
    t.equal(
      show(model, [{ role: 'system', content: parts }, user]),
      expected(model, [{ role: 'system', content: '⟦P⟧\nBe\nterse.' }, user]),
      'parts are joined by line feeds',
    );
  });
}

for (const model of models) {
  t.test(`${model.name}: in the first user message`, async (t) => {
    const both = { role: 'user', content: '⟦P⟧\nHow are you?' };
    t.equal(show(model, [user], { position: 'user' }), expected(model, [both]));
    t.equal(show(model, turns, { position: 'user' }), expected(model, [both, ...turns.slice(1)]));
    t.equal(template(model).systemRole, model.systemRole, 'whether there is a system role is found by rendering');
    if (!model.systemRole) t.equal(show(model, turns), expected(model, [both, ...turns.slice(1)]), 'also for "system"');
  });

  t.test(`${model.name}: once, whatever the texts hold`, async (t) => {
    const attack = `\uFDD0 ⟦P⟧ ${[...model.tokenizer.controlTokens.values()].join('')} \uFDD1\uFDD2`;
    const segments = encodeChat(model.tokenizer, model.template, [{ role: 'user', content: attack }], {
      softPrompt,
      position: 'system',
      addGenerationPrompt: true,
    });
    t.equal(segments.filter((segment) => 'softPrompt' in segment).length, 1);
  });
}

function template(model: TestModel) {
  return model.template.traits(false);
}

const [smollm2] = models;
if (smollm2 === undefined) throw new Error('no models');

t.test('tokens beside the soft prompt are those of each side alone', async (t) => {
  const segments = encodeChat(smollm2.tokenizer, smollm2.template, [{ role: 'system', content: 'Hi' }, user], {
    softPrompt,
    position: 'system',
    addGenerationPrompt: true,
  });
  t.equal(segments.length, 3);
  t.strictSame(segments[0], { tokens: smollm2.tokenizer.encode('<|im_start|>system\n') });
  t.strictSame(segments[1], { softPrompt });
  t.strictSame(segments[2], {
    tokens: smollm2.tokenizer.encode(
      '\nHi<|im_end|>\n<|im_start|>user\nHow are you?<|im_end|>\n<|im_start|>assistant\n',
    ),
  });
});

t.test('without a soft prompt the template’s own system message stays', async (t) => {
  t.match(
    show(smollm2, [user], { softPrompt: null }),
    /^<\|im_start\|>system\nYou are a helpful AI assistant named SmolLM/,
  );
  t.notMatch(show(smollm2, [user]), /You are a helpful AI assistant named SmolLM/);
});

t.test('a conversation without a user message can’t hold it there', async (t) => {
  t.throws(() => show(smollm2, [{ role: 'assistant', content: 'Hi' }], { position: 'user' }), {
    code: 'invalid_request',
    param: 'messages',
  });
});

t.test('virtual tokens count towards the limit', async (t) => {
  const length = encodeChat(smollm2.tokenizer, smollm2.template, [user], {
    softPrompt,
    position: 'system',
    addGenerationPrompt: true,
  }).reduce((sum, segment) => sum + ('tokens' in segment ? segment.tokens.length : segment.softPrompt.tokens), 0);
  t.ok(show(smollm2, [user], { maxTokens: length }));
  t.throws(() => show(smollm2, [user], { maxTokens: length - 1 }), { code: 'context_length_exceeded' });
  t.throws(() => show(smollm2, [{ role: 'user', content: 'a '.repeat(1e6) }], { maxTokens: 8192 }), {
    code: 'context_length_exceeded',
  });
});
