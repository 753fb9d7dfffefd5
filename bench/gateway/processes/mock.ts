/**
 * A vLLM server that answers at once, and streams a token every INTERVAL_MS: `node mock.ts PORT INTERVAL_MS`.
 *
 * Bare sockets instead of node:http, which gave 11,900 answers a second where these give 37,600 (beside wrk on one core): less than
 * the faster gateways pass on, and the mock must never be what is measured. It reads every body whole and looks at its first bytes only.
 */
import { createServer, type Socket } from 'node:net';
import { createRequestReader, type ReadRequest } from '../request-reader.ts';
import { createStreamClock } from '../stream-clock.ts';
import { MODEL, modelsAnswer, PROMPT_TOKENS, probeAnswer, streamEvents, wholeAnswer } from '../wire.ts';

const [port, interval] = process.argv.slice(2);
const clock = createStreamClock(Number(interval));
const whole = wholeAnswer();
const { opening, token, closing } = streamEvents();

const responses: Readonly<Record<string, Buffer>> = {
  '/health': response('text/plain', ''),
  '/ping': response('text/plain', ''),
  '/version': response('application/json', JSON.stringify({ version: '0.32.0' })),
  '/v1/models': response('application/json', modelsAnswer()),
};
const wholeResponse = response('application/json', whole);
const notFound = response('application/json', JSON.stringify({ detail: 'Not Found' }), '404 Not Found');
const streamHead = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n',
);
const opened = Buffer.concat([streamHead, httpChunk(opening)]);
const tokenChunk = httpChunk(token);
const closed = Buffer.concat([httpChunk(closing), Buffer.from('0\r\n\r\n')]);

const server = createServer({ noDelay: true }, (socket) => {
  const reader = createRequestReader((head) => answer(socket, head));
  socket.on('data', reader.push);
  socket.on('error', () => socket.destroy());
});
server.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));

function answer(socket: Socket, { path, tokens, probe }: ReadRequest): void {
  if (path !== '/v1/chat/completions') {
    socket.write(responses[path] ?? notFound);
    return;
  }
  if (probe !== null) {
    socket.write(response('application/json', probeAnswer(probe, PROMPT_TOKENS)));
    return;
  }
  if (tokens === 0) {
    socket.write(wholeResponse);
    return;
  }
  socket.write(opened);
  clock.start(tokens, {
    token: () => socket.write(tokenChunk),
    end: () => socket.write(closed),
    gone: () => socket.destroyed,
  });
}

function response(type: string, body: string, status = '200 OK'): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nx-model: ${MODEL}\r\n\r\n${body}`,
  );
}

function httpChunk(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}
