import Type from 'typebox';
import { Compile } from 'typebox/compile';
import type { UpstreamServer } from '../../backends/upstream/server.ts';
import { PreambleError } from '../../errors.ts';
import { parseUpstreamJson } from '../../openai/read-answer.ts';
import { quote } from '../../prompts/name.ts';

/** A list of some hundred models with their permissions. */
const MAX_BYTES = 1024 * 1024;
const MAX_LISTED = 5;

const listing = Compile(Type.Object({ data: Type.Array(Type.Object({ id: Type.String() })) }));

/** The name of the only model of a server. Throws `upstream_invalid` where it has several, or none. */
export async function onlyModel(
  server: UpstreamServer,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const { body } = await server.ask({ method: 'GET', path: '/v1/models', headers, body: [], signal });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BYTES) throw unclear('its list of models is too long');
    chunks.push(chunk);
  }
  const value = parseUpstreamJson(Buffer.concat(chunks).toString());
  if (!listing.Check(value)) throw unclear('it does not list its models');
  const [first, ...others] = value.data.map(({ id }) => id);
  if (first === undefined) throw unclear('it lists no model');
  if (others.length === 0) return first;
  const names = [first, ...others].slice(0, MAX_LISTED).map(quote).join(', ');
  throw unclear(`it has ${others.length + 1} models: ${names}`);
}

function unclear(why: string): PreambleError {
  return new PreambleError('upstream_invalid', `The model server does not say which model is meant: ${why}.`, {
    action: 'Name it: --server-model.',
  });
}
