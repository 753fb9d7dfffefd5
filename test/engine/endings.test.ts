import t from 'tap';
import { collect, generationRequest, greedy, never, startDefaultEngine } from '../helpers/default-engine.ts';

t.test('how an answer ends', async (t) => {
  const { engine, tokenizer } = await startDefaultEngine();
  t.teardown(() => engine.close());
  const question = '<|im_start|>user\nName the colours of the rainbow.<|im_end|>\n<|im_start|>assistant\n';
  const prompt = [{ tokens: tokenizer.encode(question) }];
  const ask = (fields: object) =>
    collect(engine.generate(generationRequest({ prompt, maxTokens: 40, ...fields }), never));
  const whole = await ask({});

  t.test('before a stop string, which is not part of it', async (t) => {
    const stop = whole.text.slice(20, 24);
    const answer = await ask({ stop: [stop] });
    t.equal(answer.finishReason, 'stop');
    t.equal(answer.text, whole.text.slice(0, whole.text.indexOf(stop)));
  });

  t.test('with the token that ends it, counted and not said', async (t) => {
    const end = tokenizer.tokenId('<|im_end|>') ?? -1;
    const ended = await ask({ sampling: { ...greedy, logitBias: new Map([[end, 100]]) } });
    t.match(ended, { text: '', tokenIds: [], finishReason: 'stop', usage: { completionTokens: 1 } });
    const ignored = await ask({
      ignoreEos: true,
      maxTokens: 3,
      sampling: { ...greedy, logitBias: new Map([[end, 100]]) },
    });
    t.match(ignored, { finishReason: 'length', usage: { completionTokens: 3 } });
  });

  t.test('logprobs are those of the model before temperature and bias', async (t) => {
    const events = [];
    const biased = { ...greedy, logitBias: new Map([[28, 100]]) };
    for await (const event of engine.generate(
      generationRequest({ prompt, maxTokens: 1, topLogprobs: 5, sampling: biased }),
      never,
    )) {
      events.push(event);
    }
    const [first] = events;
    if (first?.type !== 'text') throw new Error('no token');
    const [token] = first.tokens;
    t.equal(token?.tokenId, 28);
    t.equal(token?.top.length, 5);
    t.ok((token?.logprob ?? 0) < (token?.top[0]?.logprob ?? 0), 'the biased token is not the likeliest');
    t.ok((token?.top ?? []).reduce((sum, { logprob }) => sum + Math.exp(logprob), 0) <= 1.0001);
  });
});
