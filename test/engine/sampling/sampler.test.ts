import fc from 'fast-check';
import t from 'tap';
import { createSampler } from '../../../src/engine/sampling/sampler.ts';
import { parameters } from './parameters.ts';

const VOCAB = 40;
const logitsOf = fc
  .array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: VOCAB, maxLength: VOCAB })
  .map((all) => Float32Array.from(all));
const ids = fc.array(fc.integer({ min: 0, max: VOCAB - 1 }), { maxLength: 30 });

t.test('limits that exclude nothing change no draw', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(logitsOf, ids, fc.nat(), (logits, output, seed) => {
        const plain = createSampler(parameters({ seed }), VOCAB, null).next(logits, [], output);
        const limited = createSampler(parameters({ seed, topP: 1, topK: VOCAB + 5, minP: 0 }), VOCAB, null).next(
          logits,
          [],
          output,
        );
        return plain.tokenId === limited.tokenId;
      }),
    ),
  );
});

t.test('a draw depends on seed and position, not on what other samplers do', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(logitsOf, logitsOf, ids, fc.nat(), (logits, others, output, seed) => {
        const busy = parameters({ seed, topP: 0.9, repetitionPenalty: 1.2, presencePenalty: 0.5 });
        const alone = createSampler(busy, VOCAB, null).next(logits, output, output);
        const beside = createSampler(parameters({ topK: 3, frequencyPenalty: 1 }), VOCAB, 5);
        const sampler = createSampler(busy, VOCAB, 2);
        beside.next(others, output, output);
        sampler.next(others, output, [...output, 1]);
        beside.next(others, output, output);
        return sampler.next(logits, output, output).tokenId === alone.tokenId;
      }),
    ),
  );
});

t.test('top_k 1, top_p 0 and a temperature next to 0 are greedy', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(logitsOf, fc.nat(), (logits, seed) => {
        const best = logits.indexOf(Math.max(...logits));
        // Logits closer than float32 probabilities can tell apart are a tie, which goes to the lower id.
        fc.pre(logits.every((logit, id) => id === best || logit < (logits[best] ?? 0) - 1e-4));
        return [{ topK: 1 }, { topP: 0 }, { temperature: 1e-9 }, { temperature: 0 }, { minP: 1 }].every(
          (changes) =>
            createSampler(parameters({ seed, ...changes }), VOCAB, null).next(logits, [], []).tokenId === best,
        );
      }),
    ),
  );
});

t.test('tokens beyond the vocabulary in history and bias are ignored', async (t) => {
  const logits = Float32Array.of(1, 3, 2);
  const changes = { temperature: 0, logitBias: new Map([[900, 100]]), repetitionPenalty: 1.5, frequencyPenalty: 1 };
  t.equal(createSampler(parameters(changes), 3, null).next(logits, [7, 8], [9, 1000]).tokenId, 1);
});

t.test('no logprobs are made up where none were asked for', async (t) => {
  const logits = Float32Array.of(1, 3, 2);
  const token = createSampler(parameters({ temperature: 0 }), 3, null).next(logits, [], []);
  t.strictSame(token, { tokenId: 1, logprob: Number.NaN, top: [] });
  t.strictSame(createSampler(parameters({ temperature: 0 }), 3, 0).next(logits, [], []).top, []);
});

t.test('logprobs are the model’s own, whatever bias and temperature do', async (t) => {
  const logits = Float32Array.of(Math.log(0.5), Math.log(0.25), Math.log(0.25));
  const token = createSampler(parameters({ temperature: 0, logitBias: new Map([[2, 100]]) }), 3, 1).next(
    logits,
    [],
    [],
  );
  t.equal(token.tokenId, 2);
  t.ok(Math.abs(token.logprob - Math.log(0.25)) < 1e-6);
  t.equal(token.top[0]?.tokenId, 0);
});

t.test('logits that are NaN are refused, and the sampler goes on', async (t) => {
  const sampler = createSampler(parameters(), 3, 1);
  t.throws(() => sampler.next(Float32Array.of(1, Number.NaN, 2), [], []), { code: 'internal' });
  t.ok(sampler.next(Float32Array.of(1, 2, 3), [], []).tokenId < 3);
});
