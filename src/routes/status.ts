import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway.ts';
import type { PromptState } from '../policy/snapshot.ts';

/** For operators: what is served, with which prompts, by which servers. No secrets, no texts. */
export async function statusRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  app.get('/status', async () => {
    const { generation, policy, backends } = gateway.current();
    const models = [...policy.models].map(([name, { backend, prompt, onPromptUnavailable }]) => ({
      name,
      backend,
      prompt: describePrompt(prompt),
      onPromptUnavailable,
      problem: backends.get(name)?.problem() ?? null,
      servers: backends.get(name)?.servers() ?? [],
      adapters: [...(backends.get(name)?.adapters() ?? [])],
    }));
    const tenants = [...new Set(policy.tenants.values())].map(({ id, mode, models: allowed }) => ({
      id,
      mode,
      models: allowed,
    }));
    return { generation, reasons: gateway.readiness.reasons(), models, tenants };
  });
}

function describePrompt(state: PromptState): object | null {
  if (state.kind === 'none') return null;
  if (state.kind === 'unavailable') return { reference: state.reference, unavailable: state.reason };
  const { name, version, position, softPrompt } = state.prompt;
  return { name, version, digest: softPrompt.digest, tokens: softPrompt.tokens, position };
}
