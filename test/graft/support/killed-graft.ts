import { graftGguf } from '../../../src/graft/gguf/graft-gguf.ts';
import { type GraftRequest, graftModel } from '../../../src/graft/graft.ts';
import { openPromptRegistry } from '../../../src/prompts/registry.ts';

// A graft that is killed as soon as it tells of a step: killed-graft.ts hf|gguf STEP SOURCE PROMPTS OUT
const [format, killedAt, source = '', prompts = '', out = ''] = process.argv.slice(2);
const registry = await openPromptRegistry([prompts]);
const request: GraftRequest = {
  source,
  out,
  prompts: [registry.resolve('tiny/kind')],
  copy: 'copy',
  dryRun: false,
  onProgress: (step) => {
    if (step === killedAt) process.kill(process.pid, 'SIGKILL');
  },
};
await (format === 'gguf' ? graftGguf({ ...request, type: null }) : graftModel(request));
