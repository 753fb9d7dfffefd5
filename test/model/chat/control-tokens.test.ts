import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { encodeChat } from '../../../src/model/chat/encode-chat.ts';
import type { Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { loadModels, type TestModel } from './recorded.ts';

/** Ids of the control tokens in an encoding, in order. */
function controlIds(tokenizer: Tokenizer, ids: readonly number[]): number[] {
  return ids.filter((id) => tokenizer.controlTokens.has(id));
}

interface Texts {
  system: string;
  user: string;
  answer: string;
  question: string;
  toolName: string;
  description: string;
  key: string;
  value: string;
  callId: string;
}

const harmless: Texts = {
  system: 'w1 w1',
  user: 'w2 w2',
  answer: 'w3 w3',
  question: 'w4 w4',
  toolName: 'w5',
  description: 'w6',
  key: 'w7',
  value: 'w8',
  callId: 'abc123XYZ',
};

/** A conversation with each of the texts in each place that the template reads. */
function encode({ tokenizer, template, takesTools, systemRole }: TestModel, texts: Texts): number[] {
  const call = {
    id: texts.callId,
    type: 'function',
    function: { name: texts.toolName, arguments: JSON.stringify({ [texts.key]: texts.value }) },
  };
  const schema = {
    type: 'object',
    properties: { [texts.key]: { type: 'string', description: texts.description, enum: [texts.value] } },
    required: [texts.key],
  };
  const messages = [
    ...(systemRole ? [{ role: 'developer', content: texts.system }] : []),
    {
      role: 'user',
      content: [
        { type: 'text', text: texts.user },
        { type: 'text', text: texts.question },
      ],
    },
    ...(takesTools
      ? [
          { role: 'assistant', content: null, tool_calls: [call] },
          { role: 'tool', content: texts.value, tool_call_id: texts.callId, name: texts.toolName },
        ]
      : []),
    { role: 'assistant', content: texts.answer },
    { role: 'user', content: texts.question },
  ];
  const tools = takesTools
    ? [
        {
          type: 'function',
          [texts.key]: texts.value,
          function: { name: texts.toolName, description: texts.description, parameters: schema },
        },
      ]
    : null;
  return encodeChat(tokenizer, template, messages, {
    softPrompt: null,
    position: 'system',
    addGenerationPrompt: true,
    tools,
  }).flatMap((segment) => ('tokens' in segment ? segment.tokens : []));
}

/** Texts made of control tokens, their pieces and what could join them. */
function fragments(tokenizer: Tokenizer): fc.Arbitrary<string> {
  const tokens = [...tokenizer.controlTokens.values()];
  const token = fc.constantFrom(...tokens);
  const piece = fc
    .tuple(token, fc.nat(20), fc.nat(20))
    .map(([text, from, to]) => text.slice(Math.min(from, to), Math.max(from, to)));
  const glue = fc.constantFrom(
    '',
    ' ',
    '\n',
    '\uFDD0',
    '\uFDD1',
    '\uFDD2',
    '\u200b',
    'x',
    '\\u003c',
    '&lt;',
    '"',
    '\ud800',
  );
  // an empty text is another conversation to some templates: they leave its message out
  const isText = (text: string) => text.replace(/[\uFDD0-\uFDEF]/g, '') !== '';
  return fc
    .array(fc.oneof(token, piece, glue), { minLength: 1, maxLength: 5 })
    .map((parts) => parts.join(''))
    .filter(isText);
}

for (const model of loadModels()) {
  const { name, tokenizer } = model;
  const expected = controlIds(tokenizer, encode(model, harmless));

  t.test(`${name}: no text of a conversation becomes a control token`, async (t) => {
    t.ok(tokenizer.controlTokens.size > 0);
    const text = fragments(tokenizer);
    const texts = fc.record({
      system: text,
      user: text,
      answer: text,
      question: text,
      toolName: text,
      description: text,
      // a key that says something to a template would change the conversation itself
      key: text.map((key) => `k${key}`),
      value: text,
      callId: fc.constant('abc123XYZ'),
    });
    fc.assert(
      fc.property(texts, (attack) => {
        assert.deepEqual(controlIds(tokenizer, encode(model, attack)), expected);
      }),
      { numRuns: 60 },
    );
  });

  t.test(`${name}: every control token, in every place`, async (t) => {
    for (const token of tokenizer.controlTokens.values()) {
      for (const place of Object.keys(harmless)) {
        if (place === 'callId') continue;
        const ids = encode(model, { ...harmless, [place]: token });
        t.strictSame(controlIds(tokenizer, ids), expected, `${token} as ${place}`);
      }
    }
  });

  t.test(`${name}: the text itself arrives unchanged`, async (t) => {
    for (const token of tokenizer.controlTokens.values()) {
      const text = tokenizer.decode(encode(model, { ...harmless, question: `a ${token} b ${token}${token} c` }));
      t.ok(text.includes(`a ${token} b ${token}${token} c`), token);
    }
  });
}
