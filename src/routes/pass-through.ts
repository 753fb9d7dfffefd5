import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { PreambleError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { admit, isLimited } from '../limits/admission.ts';
import type { CompletionUsage } from '../openai/answer.ts';
import { refuseClientEmbeddings } from '../openai/hostile.ts';
import { readUsage } from '../openai/read-answer.ts';
import { requestParser } from '../openai/validate.ts';
import { findModel } from '../policy/find-model.ts';
import { relayWhole } from './relay.ts';

const parse = requestParser(Type.Object({ model: Type.String({ minLength: 1 }) }, { additionalProperties: true }));

/** Paths that the operator lists: handed on as they came, without a prompt and without a decision, and answered whole. */
export async function passThroughRoutes(
  app: FastifyInstance,
  { gateway, paths }: { gateway: Gateway; paths: readonly string[] },
): Promise<void> {
  for (const path of paths) {
    app.post(path, async (request, reply) => await handOn(gateway, path, request, reply));
  }
}

async function handOn(gateway: Gateway, path: string, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  refuseClientEmbeddings(request.body);
  const parsed = parse(request.body);
  const { model } = parsed;
  const { policy, backends } = request.snapshot;
  const { entry, adapter } = findModel(model, policy, backends, request.tenant);
  const backend = backends.get(entry);
  if (backend?.handOn === undefined) {
    throw new PreambleError('not_found', `${model} has no ${path}.`, {
      action: 'Name a model that has.',
      param: 'model',
    });
  }
  const { tenant, rawBody: body, cancellation: signal } = request;
  const admission = isLimited(tenant.limits)
    ? await admit(gateway.counters, {
        tenant,
        promptTokens: Math.ceil(body.length / 4),
        answerTokens: 0,
        leaseMs: gateway.limits.requestSeconds * 1000,
        onHeaders: (headers) => reply.headers(headers),
      })
    : null;
  try {
    const answer = await backend.handOn({ id: request.id, path, request: parsed, body, adapter, signal });
    let usage: CompletionUsage | null = null;
    const bytes = await relayWhole(answer, (value) => {
      usage = readUsage(value);
    });
    admission?.settle({ usage, characters: 0 });
    return reply
      .headers(answer.headers)
      .headers(admission?.headers ?? {})
      .code(answer.status)
      .send(bytes);
  } catch (error) {
    admission?.settle(null);
    throw error;
  }
}
