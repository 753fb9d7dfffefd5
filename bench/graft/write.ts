import { join } from 'node:path';
import { planDirectory, writeDirectory } from '../../src/graft/graft-directory.ts';
import { planGraft } from '../../src/graft/plan.ts';
import { withStaging } from '../../src/graft/staging.ts';
import { openPromptRegistry } from '../../src/prompts/registry.ts';

// write.ts FOLDER: grafts FOLDER/model, copying every file, and prints times and the process' peak memory as JSON. The output row is made up:
// a model of random weights has nothing to measure, and measuring is not writing.
const folder = process.argv[2] ?? '';
const prompt = (await openPromptRegistry([join(folder, 'prompts')])).resolve('bench/large');
const start = performance.now();
const plan = await planGraft(join(folder, 'model'), [prompt]);
const head = {
  row: new Array<number>(plan.checkpoint.config.hiddenSize).fill(-1),
  scale: 1,
  margin: { worst: 1, positions: 1, states: [{ prompt: null, positions: 1, worst: 1 }], queries: [] },
};
await withStaging(join(folder, 'grafted'), plan.key, async (staging) => {
  await writeDirectory(await planDirectory(plan, 'copy'), head, staging, 'copy', () => {});
});
const seconds = (performance.now() - start) / 1000;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
const processorSeconds = (userCPUTime + systemCPUTime) / 1e6;
process.stdout.write(JSON.stringify({ seconds, processorSeconds, peakMb: maxRSS / 1000 }));
