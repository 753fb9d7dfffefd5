import t from 'tap';
import { toChatLogprobs, toCompletionLogprobs } from '../../src/openai/logprobs.ts';

const bytesOf = (text: string) => [...new TextEncoder().encode(text)];
const alternative = (text: string, logprob: number) => ({ text, bytes: bytesOf(text), logprob });
const tokens = [
  { ...alternative('🚦', -0.5), top: [alternative('🚦', -0.5), alternative('é', -1.5)] },
  {
    text: '\u{FFFD}',
    bytes: [0xf0, 0x9f],
    logprob: -Infinity,
    top: [{ text: '\u{FFFD}', bytes: [0xe2], logprob: -0.25 }],
  },
  { text: '', bytes: null, logprob: -2, top: [] },
];

t.test('chat: token, bytes and alternatives', async (t) => {
  t.strictSame(toChatLogprobs(tokens), {
    content: [
      {
        token: '🚦',
        logprob: -0.5,
        bytes: [240, 159, 154, 166],
        top_logprobs: [
          { token: '🚦', logprob: -0.5, bytes: [240, 159, 154, 166] },
          { token: 'é', logprob: -1.5, bytes: [195, 169] },
        ],
      },
      {
        token: '\u{FFFD}',
        logprob: -9999,
        bytes: [240, 159],
        top_logprobs: [{ token: '\u{FFFD}', logprob: -0.25, bytes: [226] }],
      },
      { token: '', logprob: -2, bytes: null, top_logprobs: [] },
    ],
    refusal: null,
  });
});

t.test('completions: parallel arrays, offsets in code points, the chosen token among the top', async (t) => {
  t.strictSame(toCompletionLogprobs(tokens, 10), {
    tokens: ['🚦', '\u{FFFD}', ''],
    token_logprobs: [-0.5, -9999, -2],
    top_logprobs: [{ '🚦': -0.5, é: -1.5 }, { '\u{FFFD}': -0.25 }, { '': -2 }],
    text_offset: [10, 11, 12],
  });
});
