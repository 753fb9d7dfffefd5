import fc from 'fast-check';
import t from 'tap';
import { PreambleError } from '../../src/errors.ts';
import { manifestDigest, type PromptManifest, parseManifest } from '../../src/prompts/manifest.ts';
import { content } from './support/tiny.ts';

const figure = { rate: 0.02, interval: [0.01, 0.05] as [number, number] };
const manifest: PromptManifest = {
  format: 'preamble.prompt/1',
  created: '2026-11-24T05:00:00.000Z',
  tensor: { file: 'prompt.safetensors', sha256: 'c'.repeat(64) },
  ...content,
  training: {
    objective: 'dro',
    hyperparameters: { learningRate: 0.001, batch: 50, anchors: true, optimiser: 'adamw' },
    anchors: [{ set: 'harmful', sha256: 'd'.repeat(64) }],
    seed: 42,
    tool: 'preamble 0.1.0',
    curve: [{ step: 1, loss: 2.5 }],
  },
  evaluation: [
    {
      set: 'harmless',
      n: 100,
      refusalRate: { prompt: figure, none: figure, text: figure },
      detector: 'phrases/1',
      sampling: { temperature: 0 },
    },
  ],
};

const parse = (value: unknown) => parseManifest(JSON.stringify(value), 'prompt.json');

t.test('a full manifest is read as it was written', (t) => {
  t.strictSame(parse(manifest), manifest);
  t.end();
});

t.test('each fault is named in one line', (t) => {
  const faults: [string, unknown, RegExp][] = [
    [
      'another format',
      { ...manifest, format: 'preamble.prompt/2' },
      /its format is .*prompt\/2.*reads preamble.prompt\/1/,
    ],
    ['no format', { ...manifest, format: undefined }, /required properties format/],
    ['an unknown field', { ...manifest, sponsor: 'me' }, /the field sponsor is not known/],
    ['an unknown field deeper down', { ...manifest, model: { ...manifest.model, x: 1 } }, /model\/x is not known/],
    ['a traversing name', { ...manifest, name: '../etc/passwd' }, /name must match/],
    ['a tensor elsewhere', { ...manifest, tensor: { ...manifest.tensor, file: '../x' } }, /tensor\/file/],
    ['a version that is none', { ...manifest, version: 'v1.0.0' }, /"v1.0.0" is not a semantic version/],
    ['a loose version', { ...manifest, version: '01.0.0' }, /semantic version/],
    ['a zero hidden size', { ...manifest, model: { ...manifest.model, hiddenSize: 0 } }, /hiddenSize must be >= 1/],
    ['a wrong position', { ...manifest, position: 'end' }, /position/],
    [
      'a rate above 1',
      { ...manifest, evaluation: [{ ...manifest.evaluation[0], complianceRate: { prompt: { ...figure, rate: 2 } } }] },
      /rate must be <= 1/,
    ],
    ['no object', [], /must be object/],
    ['nothing', null, /must be object/],
  ];
  for (const [name, value, message] of faults) {
    t.throws(() => parse(value), { code: 'prompt_invalid', message }, name);
  }
  t.throws(() => parseManifest('{"format":', 'p'), { code: 'prompt_invalid', message: /not JSON/ });
  t.throws(() => parseManifest(JSON.stringify(manifest).replace('{', '{"name":"a",'), 'p'), {
    message: /"name" twice/,
  });
  t.throws(() => parse({ ...manifest, text: '\ud800' }), { code: 'prompt_invalid', message: /surrogate/ });
  t.end();
});

t.test('the digest depends on the content, not on its spelling or signature', (t) => {
  const digest = manifestDigest(manifest);
  t.match(digest, /^[0-9a-f]{64}$/);
  t.equal(
    manifestDigest(parseManifest(JSON.stringify(Object.fromEntries(Object.entries(manifest).reverse()), null, 3), 'p')),
    digest,
  );
  const signature = { algorithm: 'ed25519' as const, keyId: 'e'.repeat(64), value: `${'A'.repeat(86)}==` };
  t.equal(manifestDigest({ ...manifest, signature }), digest);
  t.not(manifestDigest({ ...manifest, position: 'user' }), digest);
  t.not(manifestDigest({ ...manifest, text: 'Be unkind.' }), digest);
  t.end();
});

t.test('whatever the bytes, there is a manifest or a PreambleError', (t) => {
  const whole = JSON.stringify(manifest);
  const damaged = fc
    .tuple(fc.nat(whole.length), fc.nat(20), fc.string())
    .map(([at, cut, put]) => whole.slice(0, at) + put + whole.slice(at + cut));
  const altered = fc
    .tuple(fc.constantFrom(...Object.keys(manifest), '__proto__', 'constructor'), fc.jsonValue())
    .map((member) => JSON.stringify(Object.fromEntries([...Object.entries(manifest), member])));
  const nested = fc.nat(20_000).map((depth) => '['.repeat(depth) + ']'.repeat(depth));
  const property = fc.property(fc.oneof(damaged, altered, nested, fc.json(), fc.string()), (text) => {
    try {
      const parsed = parseManifest(text, 'prompt.json');
      return /^[0-9a-f]{64}$/.test(manifestDigest(parsed));
    } catch (error) {
      return error instanceof PreambleError && error.code === 'prompt_invalid' && !error.message.includes('\n');
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }));
  t.end();
});
