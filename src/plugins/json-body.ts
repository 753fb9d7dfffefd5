import fastifyPlugin from 'fastify-plugin';
import { PreambleError } from '../errors.ts';
import { assertJsonDepth } from '../openai/walk-json.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body's bytes as they came; a backend that hands a request on sends these. */
    rawBody: Uint8Array;
  }
}

/**
 * Bodies are JSON, said to be JSON, and kept as they came: nothing is stripped or converted. Other media types are refused, `text/plain`
 * too: a web page of any origin may send that to this machine's ports without asking first (CORS), JSON it may not.
 */
export const jsonBody = fastifyPlugin(
  async (app) => {
    app.decorateRequest('rawBody');
    app.addHook('onRequest', (request, _reply, done) => {
      request.rawBody = NO_BYTES;
      done();
    });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      try {
        const bytes = typeof body === 'string' ? Buffer.from(body) : body;
        request.rawBody = bytes;
        done(null, parseJson(bytes));
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    });
    app.addContentTypeParser('*', (request, _payload, done) => {
      const given = request.headers['content-type'] ?? 'nothing';
      done(
        new PreambleError('unsupported_media_type', `The request's content-type is ${given.slice(0, 80)}.`, {
          action: 'Send JSON with content-type application/json.',
        }),
      );
    });
  },
  { name: 'json-body', fastify: '5.x' },
);

const utf8 = new TextDecoder('utf-8', { fatal: true });

const NO_BYTES = new Uint8Array();

/** Throws `invalid_request`. */
function parseJson(body: Uint8Array): unknown {
  if (body.length === 0) throw broken('The request has no body.');
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch (error) {
    throw broken(`The request body is not valid JSON${error instanceof SyntaxError ? '' : ': it is not UTF-8'}.`);
  }
  assertJsonDepth(value);
  return value;
}

function broken(message: string): PreambleError {
  return new PreambleError('invalid_request', message, { action: 'Send a JSON object.' });
}
