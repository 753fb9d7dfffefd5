import t from 'tap';
import { openCheckpoint } from '../../../src/model/checkpoint.ts';
import { defaultModelName } from '../../../src/model/known-models.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { forward, largestDifference } from './support/fixtures.ts';
import { recordedAnswers, recordedLogits, SAMPLED_STRIDE } from './support/smollm2.ts';

/** Of the largest logit. Two float32 implementations that add in different orders were 4e-6 apart; RoPE's base wrong by 0.1% makes it 9e-5. */
const TOLERANCE = 2e-5;

t.test('the directory made for the default model gives the logits that transformers computes from it', async (t) => {
  const checkpoint = await openCheckpoint((await obtainModel(defaultModelName)).directory);
  const [conversation] = await recordedAnswers();
  const { last, sampled } = await recordedLogits();
  const logits = await forward(checkpoint, [conversation?.promptIds ?? []]);
  t.equal(logits.length, (conversation?.promptIds.length ?? 0) * checkpoint.config.vocabSize);

  const largest = last.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const atTheEnd = largestDifference(logits.subarray(-last.length), last) / largest;
  t.ok(atTheEnd < TOLERANCE, `all logits of the last position, ${atTheEnd.toExponential(1)} apart`);
  // The stride divides the vocabulary, so it runs on over the rows.
  t.equal(checkpoint.config.vocabSize % SAMPLED_STRIDE, 0);
  const everywhere =
    largestDifference(
      logits.filter((_, index) => index % SAMPLED_STRIDE === 0),
      sampled,
    ) / largest;
  t.ok(everywhere < TOLERANCE, `some logits of every position, ${everywhere.toExponential(1)} apart`);
  t.comment(
    `figure: float32 logits of the default model differ from transformers' by ${atTheEnd.toExponential(1)} of the largest`,
  );
});
