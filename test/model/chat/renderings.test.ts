import t from 'tap';
import { encodeChat } from '../../../src/model/chat/encode-chat.ts';
import { loadModels, loadRenderings } from './recorded.ts';

const renderings = loadRenderings();

for (const { name, tokenizer, template } of loadModels()) {
  t.test(`${name} renders and encodes as transformers does`, async (t) => {
    for (const recorded of renderings.filter((rendering) => rendering.model === name)) {
      const { title, messages, tools, addGenerationPrompt } = recorded;
      const what = `${title}${addGenerationPrompt ? ', with the generation prompt' : ''}`;
      const render = () => template.render({ messages, tools, addGenerationPrompt });
      const encode = () =>
        encodeChat(tokenizer, template, messages, { softPrompt: null, position: 'system', tools, addGenerationPrompt });
      if (recorded.error !== undefined) {
        const expected = {
          code: 'invalid_request',
          message: new RegExp(`: ${recorded.error.replace(/[/.]/g, '\\$&')}$`),
        };
        t.throws(render, expected, what);
        t.throws(encode, expected, what);
        continue;
      }
      t.equal(render(), recorded.text, what);
      t.strictSame(
        encode().flatMap((segment) => ('tokens' in segment ? segment.tokens : [])),
        recorded.ids,
        `${what}: ids`,
      );
    }
  });
}
