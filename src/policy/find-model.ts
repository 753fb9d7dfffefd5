import { PreambleError } from '../errors.ts';
import type { PolicySnapshot, TenantPolicy } from './snapshot.ts';

/** The models that a server holds beside its own: LoRA adapters, by the name that the server gives them. */
export interface AdapterSource {
  adapters(): ReadonlySet<string>;
}

export interface FoundModel {
  /** The configured name. */
  readonly entry: string;
  /** The server's name of the LoRA adapter that was asked for; null for the model itself. */
  readonly adapter: string | null;
}

/** Which configured model a client's name means: its own name, an alias, or an adapter of its server. Throws `model_not_found`. */
export function findModel(
  name: string,
  snapshot: PolicySnapshot,
  servers: ReadonlyMap<string, AdapterSource>,
  tenant: TenantPolicy,
): FoundModel {
  const found = lookUp(name, snapshot, servers);
  if (found !== null && mayUse(tenant, name, found)) return found;
  throw modelNotFound(name, namesFor(snapshot, servers, tenant));
}

/** Every name that the tenant may ask for: configured models in their order, then aliases, then adapters. */
export function namesFor(
  snapshot: PolicySnapshot,
  servers: ReadonlyMap<string, AdapterSource>,
  tenant: TenantPolicy,
): string[] {
  const adapters = [...servers.values()].flatMap((server) => [...server.adapters()]);
  const names = [...new Set([...snapshot.models.keys(), ...snapshot.aliases.keys(), ...adapters])];
  return names.filter((name) => {
    const found = lookUp(name, snapshot, servers);
    return found !== null && mayUse(tenant, name, found);
  });
}

function modelNotFound(model: string, known: readonly string[]): PreambleError {
  return new PreambleError('model_not_found', `The model '${model.slice(0, 120)}' does not exist.`, {
    action: known.length === 0 ? 'This key may use none.' : `There are: ${known.join(', ')}.`,
    param: 'model',
  });
}

function lookUp(
  name: string,
  { models, aliases }: PolicySnapshot,
  servers: ReadonlyMap<string, AdapterSource>,
): FoundModel | null {
  if (models.has(name)) return { entry: name, adapter: null };
  const aliased = aliases.get(name);
  if (aliased !== undefined) return { entry: aliased, adapter: null };
  for (const [entry, server] of servers) if (server.adapters().has(name)) return { entry, adapter: name };
  return null;
}

/** A tenant that may use a model may use it by any of its names; an adapter is a model of its own. */
function mayUse({ models }: TenantPolicy, name: string, { entry, adapter }: FoundModel): boolean {
  return models.some((pattern) => matches(pattern, name) || (adapter === null && matches(pattern, entry)));
}

/** `*` stands for any characters, everything else for itself. Linear but for the number of stars, which the operator writes. */
function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  const pieces = pattern.split('*');
  const [first = '', ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const piece of rest) {
    const next = name.indexOf(piece, at);
    if (next < 0) return false;
    at = next + piece.length;
  }
  return at <= end;
}
