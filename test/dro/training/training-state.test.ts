import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { adamWStep } from '../../../src/dro/training/adamw.ts';
import { initialState, loadTrainingState, saveTrainingState } from '../../../src/dro/training/training-state.ts';

const start = Float32Array.of(0.1, -2, 3e-20, 4);

t.test('comes back to the bit', async (t) => {
  const directory = t.testdir();
  const state = initialState(start);
  adamWStep(state.softPrompt, Float32Array.of(1, 2, 3, 1e-30), state.optimiser, 0.01);
  state.step = 1;
  state.best = { step: 1, score: 0.123456789, softPrompt: state.softPrompt.slice() };
  await saveTrainingState(directory, state, 2);
  t.same(await loadTrainingState(directory), state);
});

t.test('is null for a run that has none yet', async (t) => {
  t.equal(await loadTrainingState(t.testdir()), null);
});

t.test('a file that is something else is refused in one line', async (t) => {
  const directory = t.testdir();
  await writeFile(join(directory, 'state.safetensors'), 'not one');
  await t.rejects(loadTrainingState(directory), { code: 'format_invalid' });
});
