import Type from 'typebox';
import { Value } from 'typebox/value';
import { PreambleError } from '../../errors.ts';
import type { Served } from './dialect.ts';
import type { UpstreamServer } from './server.ts';
import { getJson, postJson, type ServerCall } from './server-json.ts';
import { wellKnownControlTokens } from './well-known-tokens.ts';

const open = { additionalProperties: true };
const nullable = Type.Optional(Type.Union([Type.String(), Type.Null()]));
const modelListSchema = Type.Object(
  {
    data: Type.Array(
      Type.Object(
        { id: Type.String(), parent: nullable, max_model_len: Type.Optional(Type.Union([Type.Number(), Type.Null()])) },
        open,
      ),
    ),
  },
  open,
);

/** By OpenAI's list. Without a wanted name the server must serve a single model. Throws `model_unavailable`, `upstream_*`. */
export async function discover(server: UpstreamServer, wanted: string | null, call: ServerCall): Promise<Served> {
  const list = await getJson(server, '/v1/models', call);
  if (!Value.Check(modelListSchema, list)) throw notOpenAi(server.url, '/v1/models');
  const models = list.data.filter(({ parent }) => parent === undefined || parent === null);
  const found =
    wanted === null ? (models.length === 1 ? models[0] : undefined) : models.find(({ id }) => id === wanted);
  if (found === undefined) {
    const names = models.map(({ id }) => id).join(', ') || 'none';
    throw new PreambleError(
      'model_unavailable',
      wanted === null
        ? `${server.url} serves several models: ${names}.`
        : `${server.url} does not serve ${wanted}. It serves: ${names}.`,
      { action: 'Name one of these as the backend’s model.' },
    );
  }
  const adapters = list.data.filter(({ parent }) => parent === found.id).map(({ id }) => id);
  return { model: found.id, adapters, contextLength: found.max_model_len ?? null };
}

/** What a server tells of itself at `path`; null where it has no such path. Throws `upstream_*`. */
export async function askIfThere(server: UpstreamServer, path: string, call: ServerCall): Promise<unknown> {
  try {
    return await getJson(server, path, call);
  } catch (error) {
    if (error instanceof PreambleError && error.status === 404) return null;
    throw error;
  }
}

/**
 * Asks the server's tokenizer about each well-known control token; `count` reads how many tokens an answer lists, null where it is none.
 * All of them where it can't be asked.
 */
export async function findControlTokens(
  server: UpstreamServer,
  call: ServerCall,
  { path = '/tokenize', body, count }: TokenizeRoute,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const text of wellKnownControlTokens) {
    try {
      const tokens = count(await postJson(server, path, body(text), call));
      if (tokens === null || tokens === 1) found.push(text);
    } catch (error) {
      if (error instanceof PreambleError && error.code === 'upstream_error') return wellKnownControlTokens;
      throw error;
    }
  }
  return found;
}

export interface TokenizeRoute {
  readonly path?: string;
  body(text: string): object;
  count(answer: unknown): number | null;
}

const tokensSchema = Type.Object({ tokens: Type.Array(Type.Unknown()) }, open);

/** `{ tokens: […] }`: vLLM's, SGLang's and llama.cpp's. */
export function countTokens(answer: unknown): number | null {
  return Value.Check(tokensSchema, answer) ? answer.tokens.length : null;
}

export function notOpenAi(url: string, path: string): PreambleError {
  return new PreambleError('model_unavailable', `${url}${path} does not answer as such a server does.`, {
    action: 'Check the URL, which ends before /v1, and the kind of the backend.',
  });
}
