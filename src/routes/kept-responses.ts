import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PreambleError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { isResponseId } from '../openai/responses/ids.ts';
import type { ResponseState } from '../openai/responses/store.ts';
import { unsupported } from '../openai/responses/unsupported.ts';

/** Answers of `/v1/responses` that are kept: shown again, and removed. */
export async function keptResponseRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  app.get<{ Params: { id: string }; Querystring: { stream?: unknown } }>('/v1/responses/:id', async (request) => {
    if (request.query.stream === 'true') {
      throw unsupported('stream', 'Kept answers are not streamed again', 'Leave it out.');
    }
    const { response } = await load(gateway, request, request.params.id);
    return response;
  });

  app.delete<{ Params: { id: string } }>('/v1/responses/:id', async (request) => {
    const { id } = request.params;
    const removed = isResponseId(id) && (await gateway.responses?.remove(request.tenant.id, id)) === true;
    if (!removed) throw notFound(gateway);
    return { id, object: 'response', deleted: true };
  });
}

async function load(gateway: Gateway, request: FastifyRequest, id: string): Promise<ResponseState> {
  const state = isResponseId(id) ? await gateway.responses?.load(request.tenant.id, id) : null;
  if (!state) throw notFound(gateway);
  return state;
}

function notFound(gateway: Gateway): PreambleError {
  return gateway.responses === null
    ? new PreambleError('not_found', 'Answers are not kept here: this gateway has no Redis.', {
        action: 'Have redis configured.',
      })
    : new PreambleError('not_found', 'There is no response with this id, or no longer.');
}
