import type { Config } from '../config/schema.ts';
import type { PromptState } from '../policy/decide-plan.ts';

/** `http://127.0.0.1:8080/v1`: what an OpenAI client takes as its base URL. */
export function baseUrl({ host, port }: { host: string; port: number }): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/v1`;
}

/** What a person reads once it serves: where, what, and a line to try it with. */
export function banner(url: string, config: Config, states: ReadonlyMap<string, PromptState>): string {
  const models = Object.entries(config.models).map(([name, { backend }]) => {
    const running = backend.model === name ? '' : ` (${backend.model})`;
    return `  model   ${name}${running}, weights ${backend.weights}\n  prompt  ${describePrompt(states.get(name))}`;
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

function describePrompt(state: PromptState | undefined): string {
  if (state?.kind === 'available') {
    const { name, version, softPrompt } = state.prompt;
    return `${name}@${version}, ${softPrompt.tokens} virtual tokens`;
  }
  return state?.kind === 'unavailable' ? `${state.reference} (unavailable: ${state.reason})` : 'none';
}
