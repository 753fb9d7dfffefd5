import { PreambleError } from '../errors.ts';
import { parseRedisUrl } from '../redis/address.ts';
import type { Locate } from './problem.ts';
import type { Config } from './schema.ts';

/** What no schema of one setting can say: settings that contradict each other. Throws `config_invalid` with the place. */
export function checkTogether(config: Config, locate: Locate): void {
  refuseOpenAddress(config, locate);
  checkNames(config, locate);
  checkTenants(config, locate);
  checkRedis(config, locate);
  checkPassThrough(config, locate);
  for (const [name, model] of Object.entries(config.models)) {
    const { backend } = model;
    if (backend.kind === 'vllm' && backend.wire === 'completions' && backend.modelDirectory === undefined) {
      throw invalid(
        `${locate(['models', name, 'backend', 'wire'])}: the completions wire needs the model's own files`,
        'Set modelDirectory, or use the chat wire.',
      );
    }
    checkGraft(name, model, locate);
  }
}

/** A server that takes text alone knows a soft prompt by a graft only. */
function checkGraft(name: string, { backend, prompt }: Config['models'][string], locate: Locate): void {
  if (backend.kind === 'embedded') return;
  const byText = backend.kind !== 'vllm' || backend.wire === 'virtual-tokens';
  if (byText && prompt !== null && backend.graft === undefined) {
    throw invalid(
      `${locate(['models', name, 'backend'])}: these servers know the prompt ${prompt} as virtual tokens only`,
      'Set graft to what preamble graft wrote, or prompt to null.',
    );
  }
  if (!byText && backend.graft !== undefined) {
    throw invalid(
      `${locate(['models', name, 'backend', 'graft'])}: the ${backend.wire} wire sends embeddings, not virtual tokens`,
      'Set wire: virtual-tokens, or leave graft out.',
    );
  }
}

/** Without API keys, whoever reaches the port may use the model and read what others are refused. */
function refuseOpenAddress({ listen, tenants, admin }: Config, locate: Locate): void {
  if (tenants.length === 0 && !isLoopback(listen.host)) {
    throw invalid(
      `${locate(['listen', 'host'])}: listening on ${listen.host} would open the gateway to everyone who reaches it`,
      'Name tenants with API keys (preamble key new), or listen on 127.0.0.1.',
    );
  }
  if (admin !== undefined && admin.port !== 0 && admin.port === listen.port) {
    throw invalid(
      `${locate(['admin', 'port'])}: operators and applications share port ${admin.port}`,
      'Choose another.',
    );
  }
}

/** Reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Throws what {@link parseRedisUrl} throws. */
function checkRedis({ redis }: Config, locate: Locate): void {
  if (redis === undefined) return;
  const { tls } = parseRedisUrl(redis.url);
  if (!tls && redis.caFile !== undefined) {
    throw invalid(`${locate(['redis', 'caFile'])}: redis.url says that there is no TLS`, 'Write rediss:// there.');
  }
}

/** A name must mean one model. */
function checkNames({ models }: Config, locate: Locate): void {
  const taken = new Set(Object.keys(models));
  for (const [name, { aliases }] of Object.entries(models)) {
    for (const alias of aliases) {
      if (taken.has(alias)) {
        throw invalid(
          `${locate(['models', name, 'aliases'])}: ${alias} is the name of another model already`,
          'Choose another.',
        );
      }
      taken.add(alias);
    }
  }
}

function checkTenants({ models, tenants, guard }: Config, locate: Locate): void {
  const ids = new Set<string>();
  const keys = new Map<string, string>();
  tenants.forEach((tenant, index) => {
    const place = (key: string) => locate(['tenants', String(index), key]);
    if (ids.has(tenant.id)) throw invalid(`${place('id')}: ${tenant.id} is there twice`, 'Give each tenant its own.');
    ids.add(tenant.id);
    if (tenant.mode === 'enforce' && guard === undefined) {
      throw invalid(
        `${place('mode')}: there is no guard whose verdicts could be enforced`,
        'Set guard, or mode: monitor.',
      );
    }
    for (const key of tenant.keys) {
      const other = keys.get(key);
      if (other !== undefined) {
        throw invalid(`${place('keys')}: a key of ${tenant.id} is ${other}'s too`, 'Make a new one: preamble key new.');
      }
      keys.set(key, tenant.id);
    }
    const unknown = Object.keys(tenant.prompts).find((model) => models[model] === undefined);
    if (unknown !== undefined) {
      throw invalid(
        `${place('prompts')}: there is no model ${unknown}`,
        `There are: ${Object.keys(models).join(', ')}.`,
      );
    }
  });
}

/** What answers there would come without the safety prompt; and what changes the servers for everyone. */
const ANSWERING = [
  '/v1/chat/',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/models',
  '/v1/load_lora_adapter',
  '/v1/unload_lora_adapter',
];

function checkPassThrough({ passThrough }: Config, locate: Locate): void {
  passThrough.forEach((path, index) => {
    // Proxies between read two slashes as one.
    const plain = path.replaceAll(/\/+/g, '/');
    if (!ANSWERING.some((start) => plain.startsWith(start))) return;
    throw invalid(
      `${locate(['passThrough', String(index)])}: ${path} would go past the safety prompt`,
      'Leave it out.',
    );
  });
}

function invalid(message: string, action: string): PreambleError {
  return new PreambleError('config_invalid', `${message}.`, { action });
}
