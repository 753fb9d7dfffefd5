import type { BackendSettings } from '../config/schema/backend.ts';
import type { Config } from '../config/schema.ts';
import type { PolicySnapshot, PromptState } from '../policy/snapshot.ts';

/** `http://127.0.0.1:8080/v1`: what an OpenAI client takes as its base URL. */
export function baseUrl({ host, port }: { host: string; port: number }): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/v1`;
}

/** What a person reads once it serves: where, what, and a line to try it with. */
export function banner(url: string, config: Config, policy: PolicySnapshot): string {
  const models = Object.entries(config.models).map(([name, { backend }]) => {
    return `  model   ${name}${describeBackend(name, backend)}\n  prompt  ${describePrompt(policy.models.get(name)?.prompt)}`;
  });
  const [first = ''] = Object.keys(config.models);
  const body = JSON.stringify({
    model: first,
    messages: [{ role: 'user', content: 'What is the capital of France?' }],
  });
  return [
    `Preamble serves ${url}`,
    ...models,
    '',
    'Try it:',
    `  curl ${url}/chat/completions -H 'content-type: application/json' -d '${body.replaceAll("'", "'\\''")}'`,
    '',
  ].join('\n');
}

const serverNames = { vllm: 'vLLM', tgi: 'TGI', llamacpp: 'llama.cpp', sglang: 'SGLang' } as const;

function describeBackend(name: string, backend: BackendSettings): string {
  const running = backend.model === undefined || backend.model === name ? '' : ` (${backend.model})`;
  if (backend.kind === 'embedded') return `${running}, weights ${backend.weights}`;
  return `${running}, ${serverNames[backend.kind]} at ${backend.urls.join(', ')}`;
}

function describePrompt(state: PromptState | undefined): string {
  if (state?.kind === 'available') {
    const { name, version, softPrompt } = state.prompt;
    return `${name}@${version}, ${softPrompt.tokens} virtual tokens`;
  }
  return state?.kind === 'unavailable' ? `${state.reference} (unavailable: ${state.reason})` : 'none';
}
