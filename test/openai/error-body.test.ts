import t from 'tap';
import { type ErrorCode, errorTable, PreambleError } from '../../src/errors.ts';
import { toErrorResponse } from '../../src/openai/error-body.ts';
import { encodeErrorEvent } from '../../src/openai/sse.ts';

t.test('a client’s fault: status, type, param, code, and what to do', async (t) => {
  const error = new PreambleError('invalid_request', "Invalid 'n': must be >= 1.", {
    action: 'Ask for one.',
    param: 'n',
  });
  t.strictSame(toErrorResponse(error), {
    status: 400,
    headers: {},
    body: {
      error: {
        message: "Invalid 'n': must be >= 1. Ask for one.",
        type: 'invalid_request_error',
        param: 'n',
        code: 'invalid_request',
      },
    },
  });
});

t.test('a full queue says when to come back', async (t) => {
  const { status, headers, body } = toErrorResponse(
    new PreambleError('queue_full', 'Too many requests wait.', { retryAfterSeconds: 2.2 }),
  );
  t.equal(status, 429);
  t.strictSame(headers, { 'retry-after': '3', 'x-should-retry': 'true' });
  t.strictSame(body.error.type, 'rate_limit_error');
  const soon = new PreambleError('not_ready', 'The model loads.', { retryAfterSeconds: 0 });
  t.strictSame(toErrorResponse(soon).headers, { 'retry-after': '1', 'x-should-retry': 'true' });
});

t.test('nothing of an unforeseen error is shown', async (t) => {
  const secret = 'secret-7f3a';
  class CustomError extends Error {
    readonly code = 'ESECRET';
    readonly statusCode = 400;
  }
  for (const thrown of [
    new Error(secret),
    new CustomError(secret),
    new TypeError(secret, { cause: secret }),
    secret,
    { message: secret },
    null,
    undefined,
  ]) {
    const response = toErrorResponse(thrown);
    t.equal(response.status, 500);
    t.equal(response.body.error.code, 'internal');
    t.notMatch(JSON.stringify(response), secret);
    t.notMatch(encodeErrorEvent(thrown), secret);
  }
});

t.test('the operator’s files and settings are not the client’s to read', async (t) => {
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    const response = toErrorResponse(
      new PreambleError(code, 'cannot read /etc/secret', { action: 'See /etc/secret.' }),
    );
    t.equal(response.status, errorTable[code].status);
    if (errorTable[code].status === 500) t.notMatch(JSON.stringify(response), '/etc/secret', code);
  }
  t.equal(toErrorResponse(new PreambleError('model_unavailable', 'x')).headers['x-should-retry'], 'false');
  t.equal(toErrorResponse(new PreambleError('internal', 'x')).headers['x-should-retry'], undefined);
});

t.test('Fastify’s own refusals keep their status class and message', async (t) => {
  const fastify = (statusCode: number) =>
    Object.assign(new Error('Body is not valid JSON'), { code: 'FST_ERR_X', statusCode });
  t.strictSame(
    [400, 413, 404, 415, 500].map((status) => toErrorResponse(fastify(status)).status),
    [400, 413, 404, 415, 500],
  );
  t.equal(toErrorResponse(fastify(400)).body.error.message, 'Body is not valid JSON');
  t.notMatch(toErrorResponse(fastify(500)).body.error.message, 'JSON');
});

t.test('an abort is a cancellation', async (t) => {
  t.equal(toErrorResponse(AbortSignal.abort().reason).status, 499);
});

t.test('in a stream the error is one event', async (t) => {
  const event = encodeErrorEvent(new PreambleError('queue_full', 'Full.'));
  t.match(event, /^data: \{"error":\{.*\}\}\n\n$/);
});
