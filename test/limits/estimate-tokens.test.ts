import t from 'tap';
import { estimateAnswerTokens, estimatePromptTokens, estimateSeenTokens } from '../../src/limits/estimate-tokens.ts';

t.test('text counts by its bytes, pictures and sounds by their number', async (t) => {
  t.equal(estimatePromptTokens(400, 'any'), 100);
  const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(400_000)}` } };
  const sound = { type: 'input_audio', input_audio: { data: 'A'.repeat(400_000), format: 'wav' } };
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, picture, sound] }];
  const estimate = estimatePromptTokens(JSON.stringify(messages).length, messages);
  t.ok(estimate > 2_000 && estimate < 2_200, String(estimate));
  const long = [{ role: 'user', content: 'x'.repeat(400_000) }];
  t.ok(estimatePromptTokens(400_000, long) >= 100_000);
});

t.test(
  'answers: what they may have at most, a guess where nothing says so, what was seen where it broke off',
  async (t) => {
    t.equal(estimateAnswerTokens(100, 3), 300);
    t.ok(estimateAnswerTokens(undefined, 1) > 0);
    t.equal(estimateSeenTokens(9), 3);
  },
);
