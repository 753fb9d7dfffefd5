import fc from 'fast-check';
import t from 'tap';
import { applyEnvironment, variableName } from '../../src/config/environment.ts';
import { specialise } from '../../src/config/specialise.ts';
import { describe, PreambleError } from '../../src/errors.ts';

const config = {
  listen: { host: '127.0.0.1', port: 8080 },
  models: {
    'llama-3.1 8B': {
      prompt: 'a/b',
      backend: { kind: 'embedded', slots: 8, contextLength: 4096, sampling: { topP: 1 } },
    },
  },
  limits: {},
  log: {},
};
const apply = (environment: NodeJS.ProcessEnv) => applyEnvironment(config, specialise(config), environment);

t.test('every scalar has a variable, by its path', async (t) => {
  t.equal(variableName(['listen', 'port']), 'PREAMBLE_LISTEN_PORT');
  t.equal(variableName(['log', 'onError']), 'PREAMBLE_LOG_ON_ERROR');
  t.equal(variableName(['models', 'llama-3.1 8B', 'prompt']), 'PREAMBLE_MODELS_LLAMA_3_1_8B_PROMPT');
  const changed = apply({
    PREAMBLE_LISTEN_PORT: ' 9000 ',
    PREAMBLE_LISTEN_HOST: '::1',
    PREAMBLE_MODELS_LLAMA_3_1_8B_PROMPT: 'null',
    PREAMBLE_MODELS_LLAMA_3_1_8B_BACKEND_CONTEXT_LENGTH: '',
    PREAMBLE_MODELS_LLAMA_3_1_8B_BACKEND_SAMPLING_TOP_P: '0.5',
    PREAMBLE_LIMITS_DRAIN_SECONDS: '3',
    PREAMBLE_LOG_CONTENT: 'true',
  });
  t.match(changed, {
    listen: { host: '::1', port: 9000 },
    models: { 'llama-3.1 8B': { prompt: null, backend: { contextLength: null, slots: 8, sampling: { topP: 0.5 } } } },
    limits: { drainSeconds: 3 },
    log: { content: true },
  });
  t.equal(config.listen.port, 8080, 'the given one is left as it was');
});

t.test('what others put beside us is not ours', async (t) => {
  const foreign = {
    PREAMBLE_PORT: 'tcp://10.0.0.1:80',
    PREAMBLE_SERVICE_HOST: 'x',
    PREAMBLE_CACHE: '/c',
    PREAMBLE_DEBUG: '1',
    PATH: '/bin',
  };
  t.strictSame(apply(foreign), config);
});

t.test('a slip is told with what was meant', async (t) => {
  for (const [name, value, message] of [
    ['PREAMBLE_LISTEN_PRT', '1', /PREAMBLE_LISTEN_PRT sets nothing .* Did you mean PREAMBLE_LISTEN_PORT\?/],
    ['PREAMBLE_LOG_EVERYTHING_AND_MORE', '1', /See: preamble config show/],
    ['PREAMBLE_MODELS_LLAMA_PROMPT', 'x', /sets nothing/],
    ['PREAMBLE_LISTEN_PORT', '1e3', /must be a number, and is "1e3"/],
    ['PREAMBLE_LISTEN_PORT', '', /must be a number/],
    ['PREAMBLE_LOG_CONTENT', 'yes', /must be true or false/],
  ] as const) {
    try {
      apply({ [name]: value });
      t.fail(name);
    } catch (error) {
      t.match(error, { code: 'config_invalid' });
      t.match(error instanceof PreambleError && describe(error), message);
    }
  }
});

t.test('whatever stands in a variable, it is set as text, number or truth, or refused in one line', async (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom('LISTEN_PORT', 'LISTEN_HOST', 'LOG_LEVEL', 'LOG_CONTENT', 'LIMITS_BODY_BYTES'),
      fc.string(),
      (name, value) => {
        try {
          return typeof apply({ [`PREAMBLE_${name}`]: value }) === 'object';
        } catch (error) {
          return error instanceof PreambleError && error.code === 'config_invalid' && !describe(error).includes('\n');
        }
      },
    ),
  );
  t.pass();
});
