/**
 * Every key and channel, in one place. No operation touches two keys, so a cluster can spread them as it likes and none needs a hash tag; a
 * prefix may hold one (`{preamble}:`) where somebody wants all of them on one node.
 */
export interface RedisKeys {
  /** Hash: `manifest`, the bytes of prompt.json, and `tensor`, those of prompt.safetensors. Never changed. */
  prompt(digest: string): string;
  /** Hash: version -> digest. Entries are never changed. */
  versions(name: string): string;
  /** Set: names of which a version was pushed. */
  readonly prompts: string;
  /** String: which version of a name is promoted, as JSON. */
  alias(name: string): string;
  /** Hash: what a tenant has used of its limits. */
  limits(tenant: string): string;
  /** String: the state of an answer of /v1/responses. */
  response(tenant: string, id: string): string;
  /** String: the latest rollout of a prompt's name, as JSON. */
  rollout(name: string): string;
  /** Hash: what the gateways counted of a rollout, by its id. */
  rolloutCounts(id: string): string;
  /** Set: names that have had a rollout. */
  readonly rollouts: string;
  /** String: written again and again to find out whether Redis takes writes. */
  readonly probe: string;
  /** Channel: names of prompts whose alias, versions or rollout have changed. */
  readonly changes: string;
}

export function redisKeys(prefix: string): RedisKeys {
  return {
    prompt: (digest) => `${prefix}prompt:${digest}`,
    versions: (name) => `${prefix}versions:${name}`,
    prompts: `${prefix}prompts`,
    alias: (name) => `${prefix}alias:${name}`,
    limits: (tenant) => `${prefix}limits:${tenant}`,
    response: (tenant, id) => `${prefix}response:${tenant}:${id}`,
    rollout: (name) => `${prefix}rollout:${name}`,
    rolloutCounts: (id) => `${prefix}rollout-counts:${id}`,
    rollouts: `${prefix}rollouts`,
    probe: `${prefix}probe`,
    changes: `${prefix}changes`,
  };
}
