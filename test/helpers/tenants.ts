import { hash } from 'node:crypto';
import { OpenAI } from 'openai';
import { everyone, type TenantPolicy } from '../../src/policy/snapshot.ts';

/** Tenants by the plain keys that they use here, as a snapshot has them. */
export function tenantsByKey(tenants: Record<string, Partial<TenantPolicy>>): Map<string, TenantPolicy> {
  const entries = Object.entries(tenants);
  return new Map(entries.map(([key, tenant]) => [hash('sha256', key), { ...everyone, id: key, ...tenant }]));
}

export function clientOf(origin: string, apiKey: string, maxRetries = 0): OpenAI {
  return new OpenAI({ baseURL: `${origin}/v1`, apiKey, maxRetries });
}
