import { graftModel } from '../../../src/graft/graft.ts';
import { openPromptRegistry } from '../../../src/prompts/registry.ts';

// A graft that is killed as soon as the first bytes of weights are written: killed-graft.ts SOURCE PROMPTS OUT
const [source = '', prompts = '', out = ''] = process.argv.slice(2);
const registry = await openPromptRegistry([prompts]);
await graftModel({
  source,
  out,
  prompts: [registry.resolve('tiny/kind')],
  copy: 'copy',
  dryRun: false,
  onProgress: (step) => {
    if (step === 'write') process.kill(process.pid, 'SIGKILL');
  },
});
