import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { postJson } from '../helpers/build.ts';
import { startVllm } from '../helpers/vllm.ts';
import { recordedAnswers, recordedLogits } from './transformer/support/smollm2.ts';

/** vLLM computes in bfloat16: measured, the twenty logprobs are up to 0.15 away. A wrong weight or position moves them by whole units. */
const TOLERANCE = 0.5;

const completionSchema = Type.Object({
  prompt_token_ids: Type.Array(Type.Integer()),
  choices: Type.Tuple([
    Type.Object({
      logprobs: Type.Object({
        content: Type.Tuple([
          Type.Object({ top_logprobs: Type.Array(Type.Object({ token: Type.String(), logprob: Type.Number() })) }),
        ]),
      }),
    }),
  ]),
});

t.test('vLLM loads the directory made for the default model', async (t) => {
  const vllm = await startVllm();
  t.teardown(vllm.stop);
  const nextToken = async (messages: unknown) => {
    const response = await postJson(`${vllm.origin}/v1/chat/completions`, {
      model: vllm.modelName,
      messages,
      temperature: 0,
      max_tokens: 1,
      logprobs: true,
      top_logprobs: 20,
      return_token_ids: true,
      return_tokens_as_token_ids: true,
    });
    t.equal(response.status, 200);
    return Value.Parse(completionSchema, await response.json());
  };

  const recorded = await recordedAnswers();
  for (const { messages, promptIds } of recorded) {
    const { prompt_token_ids } = await nextToken(messages);
    t.strictSame(prompt_token_ids, promptIds, "its chat template and tokenizer give transformers' ids");
  }

  const logits = (await recordedLogits()).last;
  const highest = Math.max(...logits);
  const logOfSum = highest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0));
  const { top_logprobs: top } = (await nextToken(recorded[0]?.messages)).choices[0].logprobs.content[0];
  t.equal(top.length, 20);
  const differences = top.map(({ token, logprob }) => {
    const id = Number(token.replace('token_id:', ''));
    return Math.abs(logprob - ((logits[id] ?? Number.NaN) - logOfSum));
  });
  t.ok(Math.max(...differences) < TOLERANCE, `logprobs as transformers', ${Math.max(...differences).toFixed(3)} apart`);
});
