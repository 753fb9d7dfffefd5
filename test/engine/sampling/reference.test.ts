import { readFileSync } from 'node:fs';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { selectCandidates } from '../../../src/engine/sampling/candidates.ts';
import { adjustLogits } from '../../../src/engine/sampling/penalties.ts';
import { createSampler } from '../../../src/engine/sampling/sampler.ts';
import { argmax } from '../../../src/engine/sampling/softmax.ts';
import { workspaceFor } from '../../../src/engine/sampling/workspace.ts';
import { parameters } from './parameters.ts';

const numbers = Type.Array(Type.Number());
const referenceSchema = Type.Object({
  cases: Type.Array(
    Type.Object({
      parameters: Type.Object({
        temperature: Type.Number(),
        topP: Type.Number(),
        topK: Type.Number(),
        minP: Type.Number(),
        presencePenalty: Type.Number(),
        frequencyPenalty: Type.Number(),
        repetitionPenalty: Type.Number(),
        logitBias: Type.Array(Type.Tuple([Type.Number(), Type.Number()])),
      }),
      logits: numbers,
      prompt: numbers,
      output: numbers,
      kept: numbers,
      probabilities: numbers,
      logprobs: numbers,
    }),
  ),
});

const path = new URL('../../fixtures/sampling/reference.json', import.meta.url);
const { cases } = Value.Parse(referenceSchema, JSON.parse(readFileSync(path, 'utf8')));

for (const [index, recorded] of cases.entries()) {
  const { prompt, output } = recorded;
  const logits = Float32Array.from(recorded.logits);
  const sampling = parameters({ ...recorded.parameters, logitBias: new Map(recorded.parameters.logitBias) });

  t.test(`case ${index}: the kept tokens and their probabilities are those of transformers`, async (t) => {
    const workspace = workspaceFor(logits.length);
    const adjusted = Float32Array.from(logits);
    adjustLogits(adjusted, sampling, prompt, output, workspace.counts);
    const likeliest = argmax(adjusted);
    if (sampling.temperature === 0) {
      t.strictSame([likeliest], recorded.kept);
      return;
    }
    const { count, total } = selectCandidates(adjusted, likeliest, sampling, workspace);
    // Terms near float32's smallest may be on either side; none is ever drawn.
    const kept = recorded.kept.filter((_, i) => (recorded.probabilities[i] ?? 0) > 1e-30);
    const ids = [...workspace.ids.subarray(0, count)].filter((_, i) => (workspace.weights[i] ?? 0) > 1e-30);
    t.strictSame(ids, kept);
    const worst = kept.reduce((worst, id) => {
      const expected = recorded.probabilities[recorded.kept.indexOf(id)] ?? Number.NaN;
      const actual = (workspace.weights[workspace.ids.indexOf(id)] ?? Number.NaN) / total;
      return Math.max(worst, Math.abs(actual / expected - 1));
    }, 0);
    t.ok(worst < 1e-5, `largest relative error ${worst}`);
  });

  t.test(`case ${index}: draws stay in the kept set, and logprobs are of the raw distribution`, async (t) => {
    const before = Float32Array.from(logits);
    const best = recorded.logprobs.map((logprob, id) => ({ logprob, id })).sort((a, b) => b.logprob - a.logprob);
    const top = best.slice(0, 3).map(({ id }) => id);
    const tokens = Array.from({ length: 200 }, (_, seed) =>
      createSampler({ ...sampling, seed }, logits.length, 3).next(logits, prompt, output),
    );
    const outside = tokens.filter((token) => !recorded.kept.includes(token.tokenId));
    const errors = tokens.map((token) => Math.abs(token.logprob - (recorded.logprobs[token.tokenId] ?? Number.NaN)));
    t.strictSame(outside, []);
    t.ok(Math.max(...errors) < 1e-5, `largest error of a logprob ${Math.max(...errors)}`);
    for (const token of tokens.slice(0, 1)) {
      t.strictSame(
        token.top.map((alternative) => alternative.tokenId),
        top,
      );
    }
    t.strictSame(logits, before, 'the model’s logits are left as they came');
  });
}
