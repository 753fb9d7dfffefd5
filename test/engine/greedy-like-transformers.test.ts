import t from 'tap';
import { loadChatTemplate } from '../../src/model/chat/chat-template.ts';
import { encodeChat } from '../../src/model/chat/encode-chat.ts';
import { defaultModelName } from '../../src/model/known-models.ts';
import { obtainModel } from '../../src/model/obtain/obtain.ts';
import { collect, generationRequest, never, startDefaultEngine } from '../helpers/default-engine.ts';
import { recordedAnswers } from '../model/transformer/support/smollm2.ts';

t.test(
  'the default model in float32 answers twenty conversations with the 64 greedy tokens of transformers',
  async (t) => {
    const { engine, tokenizer } = await startDefaultEngine({ weights: 'float32', queue: 20 });
    t.teardown(() => engine.close());
    const { directory } = await obtainModel(defaultModelName);
    const template = await loadChatTemplate(directory);
    if (template === null) throw new Error('the default model has a chat template');
    const recorded = await recordedAnswers();
    t.equal(recorded.length, 20);

    await Promise.all(
      recorded.map(async ({ messages, promptIds, ids }) => {
        const title = messages.at(-1)?.content.trim().slice(0, 40) ?? '';
        const options = { softPrompt: null, position: 'system', addGenerationPrompt: true } as const;
        const prompt = encodeChat(tokenizer, template, messages, options);
        t.strictSame(prompt, [{ tokens: promptIds }], `${title}: the prompt's ids`);
        const request = generationRequest({ prompt, maxTokens: ids.length, ignoreEos: true });
        const answer = await collect(engine.generate(request, never));
        t.strictSame(answer.tokenIds, ids, `${title}: the answer's ids`);
      }),
    );
    const margins = recorded.map(({ margin }) => margin).sort((a, b) => a - b);
    t.comment(
      `figure: the closest two likeliest tokens of a step were ${margins[0]?.toExponential(1)} apart in the logit`,
    );
  },
);
