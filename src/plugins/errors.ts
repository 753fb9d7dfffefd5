import type { FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { PreambleError, toError } from '../errors.ts';
import { type ErrorResponse, toErrorResponse } from '../openai/error-body.ts';

/** Every error leaves in OpenAI's shape and is logged here, once. */
export const errors = fastifyPlugin(
  async (app) => {
    app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
    app.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?', 1)[0]?.slice(0, 200);
      const unknown = new PreambleError('not_found', `There is no ${request.method} ${path} here.`, {
        action: 'Paths begin with /v1, as in /v1/chat/completions.',
      });
      sendError(unknown, request, reply);
    });
  },
  { name: 'errors', fastify: '5.x' },
);

export function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = toErrorResponse(thrown);
  fail(thrown, status, request);
  reply.code(status).headers(headers).send(body);
}

/** Where the answer has begun: its error goes to the client in the stream, and to the log here. */
export function failStream(thrown: unknown, request: FastifyRequest): void {
  fail(thrown, toErrorResponse(thrown).status, request);
}

function fail(thrown: unknown, status: number, request: FastifyRequest): void {
  logError(thrown, status, request);
  const code = thrown instanceof PreambleError ? thrown.code : status >= 500 ? 'internal' : 'invalid_request';
  // Absent on the operators' listener, and where a request came past every hook.
  request.observed?.failed(code);
}

/** A client's fault is one quiet line; ours is an error with its causes. Bodies and texts are in neither. */
export function logError(thrown: unknown, status: number, request: FastifyRequest): void {
  const error = toError(thrown);
  if (error instanceof PreambleError && error.relayed !== undefined) {
    // Without the model server's own words, which may quote the request.
    const fields = { code: error.code, upstreamStatus: error.relayed.status, upstreamCode: error.relayed.code, status };
    if (status >= 500) request.log.error(fields, 'request failed');
    else request.log.info(fields, 'request refused');
  } else if (status >= 500) request.log.error({ err: error, status }, 'request failed');
  else
    request.log.info(
      { code: error instanceof PreambleError ? error.code : null, reason: error.message, status },
      'request refused',
    );
}

/** For faults that happen before there is a request: what an HTTP parser that gave up is answered. */
export function rawErrorAnswer(response: ErrorResponse, id: string): string {
  const body = JSON.stringify(response.body);
  const head = [
    `HTTP/1.1 ${response.status} ${response.status === 408 ? 'Request Timeout' : 'Bad Request'}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
