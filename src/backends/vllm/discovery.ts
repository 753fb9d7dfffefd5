import Type from 'typebox';
import { Value } from 'typebox/value';
import { PreambleError } from '../../errors.ts';
import type { UpstreamServer } from '../upstream/server.ts';
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
const versionSchema = Type.Object({ version: Type.String() }, open);
const tokensSchema = Type.Object({ tokens: Type.Array(Type.Integer()) }, open);

/** What one server says that it serves. */
export interface Served {
  /** The model by the server's own name. */
  readonly model: string;
  /** LoRA adapters of it. */
  readonly adapters: readonly string[];
  /** Prompt and answer together, in tokens; null where it doesn't say. */
  readonly contextLength: number | null;
}

/** `wanted` is the configured name; without one, the server must serve a single model. Throws `model_unavailable`, `upstream_*`. */
export async function discover(server: UpstreamServer, wanted: string | undefined, call: ServerCall): Promise<Served> {
  const list = await getJson(server, '/v1/models', call);
  if (!Value.Check(modelListSchema, list)) throw notVllm(server.url);
  const models = list.data.filter(({ parent }) => parent === undefined || parent === null);
  const found =
    wanted === undefined ? (models.length === 1 ? models[0] : undefined) : models.find(({ id }) => id === wanted);
  if (found === undefined) {
    const names = models.map(({ id }) => id).join(', ') || 'none';
    throw new PreambleError(
      'model_unavailable',
      wanted === undefined
        ? `${server.url} serves several models: ${names}.`
        : `${server.url} does not serve ${wanted}. It serves: ${names}.`,
      { action: 'Name one of these as the backend’s model.' },
    );
  }
  const adapters = list.data.filter(({ parent }) => parent === found.id).map(({ id }) => id);
  return { model: found.id, adapters, contextLength: found.max_model_len ?? null };
}

/** The server's release; null where it does not say (another server that speaks the same wire). */
export async function readVersion(server: UpstreamServer, call: ServerCall): Promise<string | null> {
  try {
    const answer = await getJson(server, '/version', call);
    return Value.Check(versionSchema, answer) ? answer.version : null;
  } catch (error) {
    if (error instanceof PreambleError && error.status === 404) return null;
    throw error;
  }
}

/** Which well-known control tokens the server's tokenizer takes as one token; all of them where it can't be asked. */
export async function findControlTokens(server: UpstreamServer, model: string, call: ServerCall): Promise<string[]> {
  const found: string[] = [];
  for (const text of wellKnownControlTokens) {
    try {
      const body = { model, prompt: text, add_special_tokens: false };
      const answer = await postJson(server, '/tokenize', body, call);
      if (!Value.Check(tokensSchema, answer) || answer.tokens.length === 1) found.push(text);
    } catch (error) {
      if (error instanceof PreambleError && error.code === 'upstream_error') return [...wellKnownControlTokens];
      throw error;
    }
  }
  return found;
}

function notVllm(url: string): PreambleError {
  return new PreambleError('model_unavailable', `${url}/v1/models does not answer as an OpenAI server does.`, {
    action: 'Check the URL: it ends before /v1.',
  });
}
