import t from 'tap';
import { type DevFigures, type TrainingMetrics, type TrainingOptions, train } from '../../../src/dro/training/train.ts';
import { initialState, type TrainingState } from '../../../src/dro/training/training-state.ts';

const row = (harmful: boolean) => ({ harmful, query: [1], answer: [2], targets: null, reference: null });

/** Minimises (x − 1)², a row's label shifting the target a little, so that batches differ. */
function options(changes: Partial<TrainingOptions> = {}): TrainingOptions {
  return {
    rows: [row(true), row(false), row(true), row(false)],
    batch: 2,
    seed: 1,
    steps: 8,
    learningRate: 0.1,
    warmup: 2,
    decay: 'cosine',
    clip: 10,
    weightDecay: 0,
    evaluateEvery: 2,
    patience: 0,
    compute: async ([x = 0]) => ({ loss: (x - 1) ** 2, terms: {}, gradient: Float32Array.of(2 * (x - 1)) }),
    evaluate: async ([x = 0]) => figures(-Math.abs(x - 1)),
    save: async () => {},
    ...changes,
  };
}

const figures = (score: number, coherent = true): DevFigures => ({
  harmfulRefused: 0,
  harmlessRefused: 0,
  repetition: 0,
  coherent,
  score,
});

async function run(
  state: TrainingState,
  changes: Partial<TrainingOptions> = {},
  signal = new AbortController().signal,
) {
  const metrics: TrainingMetrics[] = [];
  for await (const entry of train(state, options(changes), signal)) metrics.push(entry);
  return metrics;
}

const start = () => initialState(Float32Array.of(0));

t.test('looks at the dev split every so many steps, and keeps the best', async (t) => {
  const state = start();
  const metrics = await run(state, { evaluate: async (x) => figures(state.step === 4 ? 1 : 0 * (x[0] ?? 0)) });
  t.same(
    metrics.filter(({ kind }) => kind === 'dev').map(({ step }) => step),
    [2, 4, 6, 8],
  );
  t.equal(state.best?.step, 4);
  t.equal(state.step, 8);
});

t.test('a run that was cut off goes on to the same bits', async (t) => {
  const whole = start();
  await run(whole);
  const cut = new AbortController();
  const saved: TrainingState[] = [];
  const first = start();
  const compute: TrainingOptions['compute'] = async (x, rows) => {
    if (first.step === 4) cut.abort(new Error('stopped'));
    return options().compute(x, rows);
  };
  const save = async (state: TrainingState) => {
    saved.push(structuredClone(state));
  };
  await t.rejects(run(first, { compute, save }, cut.signal), { message: 'stopped' });
  const resumed = saved.at(-1);
  if (resumed === undefined) throw new Error('nothing was saved');
  t.equal(resumed.step, 5);
  await run(resumed);
  t.same(resumed, whole);
});

t.test('text that is broken is never the best', async (t) => {
  const state = start();
  await run(state, { evaluate: async () => figures(1, state.step < 5 === false) });
  t.equal(state.best?.step, 6);
});

t.test('ends when nothing has been better for a while', async (t) => {
  const state = start();
  await run(state, { patience: 2, evaluate: async () => figures(-state.step) });
  t.equal(state.step, 6);
  t.equal(state.best?.step, 2);
});

t.test('a loss that is no number ends it, and says at which step', async (t) => {
  const state = start();
  const compute: TrainingOptions['compute'] = async (x, rows) =>
    state.step === 2 ? { loss: Number.NaN, terms: {}, gradient: Float32Array.of(1) } : options().compute(x, rows);
  await t.rejects(run(state, { compute }), { code: 'training_diverged', message: /^Step 3 gave a loss of NaN/ });
  t.equal(state.step, 2);
  t.ok(Number.isFinite(state.softPrompt[0]));
});

t.test('a gradient that is no number ends it too', async (t) => {
  const compute: TrainingOptions['compute'] = async () => ({
    loss: 1,
    terms: {},
    gradient: Float32Array.of(Number.POSITIVE_INFINITY),
  });
  await t.rejects(run(start(), { compute }), { code: 'training_diverged' });
});
