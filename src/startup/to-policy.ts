import type { TenantSettings } from '../config/schema/tenant.ts';
import type { Config } from '../config/schema.ts';
import type { ModelPolicy, PolicySnapshot, PromptState, TenantPolicy } from '../policy/snapshot.ts';
import type { PreparedPrompts } from './prepare-prompts.ts';

/** The configuration as the policy reads it, request by request. */
export function toPolicy(config: Config, prompts: PreparedPrompts): PolicySnapshot {
  const models = new Map<string, ModelPolicy>();
  const aliases = new Map<string, string>();
  for (const [name, { backend, onPromptUnavailable, aliases: others }] of Object.entries(config.models)) {
    const prompt = prompts.find(({ model, tenant }) => model === name && tenant === null)?.state ?? { kind: 'none' };
    models.set(name, { backend: backend.kind, prompt, onPromptUnavailable });
    for (const alias of others) aliases.set(alias, name);
  }
  const tenants = new Map<string, TenantPolicy>();
  for (const settings of config.tenants) {
    const policy = tenantPolicy(settings, prompts);
    for (const key of settings.keys) tenants.set(key.slice('sha256:'.length), policy);
  }
  return { models, aliases, tenants };
}

function tenantPolicy(
  { id, models, mode, limits, logContent, traffic }: TenantSettings,
  prompts: PreparedPrompts,
): TenantPolicy {
  const own = prompts
    .filter(({ tenant }) => tenant === id)
    .map(({ model, state }): [string, PromptState] => [model, state]);
  return { id, models, mode, limits, logContent, traffic, prompts: new Map(own) };
}
