import type { Snapshot } from '../gateway.ts';
import { namesFor } from '../policy/find-model.ts';
import type { PromptVariant } from '../policy/plan.ts';
import type { PromptState, TenantPolicy } from '../policy/snapshot.ts';

/** One place where a version answers. */
export interface PromptUse {
  /** The configured model. */
  readonly model: string;
  /** Further names of it. */
  readonly aliases: readonly string[];
  /** Null: everybody, since no tenants are configured. */
  readonly tenants: readonly string[] | null;
  readonly variant: Exclude<PromptVariant, 'off'>;
  /** Of conversations, 0 to 1; of a shadow, those that it gets copies of. */
  readonly share: number;
}

type Served = Pick<Snapshot, 'policy' | 'backends'>;

/** Where the version with this digest answers now. Pure. */
export function usesOf(served: Served, digest: string): PromptUse[] {
  const { models, aliases, tenants } = served.policy;
  const known = [...new Set(tenants.values())];
  return [...models].flatMap(([model, { prompt }]) => {
    const names = [...aliases].filter(([, entry]) => entry === model).map(([name]) => name);
    const usual = known.filter((tenant) => !tenant.prompts.has(model) && mayUse(served, tenant, model));
    const places: { state: PromptState; tenants: string[] | null }[] = [
      ...(known.length > 0 && usual.length === 0
        ? []
        : [{ state: prompt, tenants: known.length === 0 ? null : usual.map(({ id }) => id) }]),
      ...known.flatMap(({ id, prompts }) => {
        const state = prompts.get(model);
        return state === undefined ? [] : [{ state, tenants: [id] }];
      }),
    ];
    return places.flatMap(({ state, tenants: ids }) =>
      rolesIn(state, digest).map((role) => ({ model, aliases: names, tenants: ids, ...role })),
    );
  });
}

/** By any of its names, its server's adapters included: they have the model's prompt. */
function mayUse({ policy, backends }: Served, tenant: TenantPolicy, model: string): boolean {
  const adapters = backends.get(model)?.adapters();
  return namesFor(policy, backends, tenant).some(
    (name) => name === model || policy.aliases.get(name) === model || adapters?.has(name) === true,
  );
}

function rolesIn(state: PromptState, digest: string): Pick<PromptUse, 'variant' | 'share'>[] {
  if (state.kind !== 'available') return [];
  const { prompt, rollout } = state;
  const roles: Pick<PromptUse, 'variant' | 'share'>[] = [];
  if (prompt.softPrompt.digest === digest) {
    roles.push({ variant: 'stable', share: rollout === undefined || rollout.shadow ? 1 : 1 - rollout.share });
  }
  if (rollout?.candidate.softPrompt.digest === digest) {
    roles.push({ variant: rollout.shadow ? 'shadow' : 'canary', share: rollout.share });
  }
  return roles;
}
