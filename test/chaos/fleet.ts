import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import {
  answerLikeVllm,
  beginEvents,
  chunkEvent,
  doneEvent,
  type FakeVllm,
  lastChunk,
  type Received,
  sendJson,
  startFakeVllm,
  usageEvent,
} from '../helpers/fake-vllm.ts';
import type { Draws } from './draws.ts';
import { answerTo } from './questions.ts';

/** How a model server answers questions; those of the gateways about itself it answers always, but for `mute`. */
export type Mood = 'well' | 'mute' | 'sick';

export interface ModelServer {
  readonly fake: FakeVllm;
  mood: Mood;
}

export interface FleetOptions {
  readonly count: number;
  readonly draws: Draws;
  /** A question came, with this body. */
  onQuestion(id: string, body: unknown): void;
}

const PAUSE_MS = 15;
/** A gateway takes 8 MiB for one event. */
const FLOOD_BYTES = 100 * 2 ** 20;
const PIECE = Buffer.alloc(256 * 1024, 'x');

/** Model servers in this process, on real sockets. */
export async function startFleet(t: Test, { count, draws, onQuestion }: FleetOptions): Promise<ModelServer[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const fake = await startFakeVllm(t);
      const server: ModelServer = { fake, mood: 'well' };
      const answer = async (response: ServerResponse, received: Received): Promise<void> => {
        if (server.mood === 'mute') return;
        const text = received.body.toString();
        const words = answerTo(text);
        if (words === null) return answerLikeVllm(response, received, fake.options);
        onQuestion(String(received.headers['x-request-id']), JSON.parse(text));
        const streamed = text.includes('"stream":true');
        if (server.mood === 'sick') return void (await pickIllness(draws)(response, { words, streamed }));
        if (streamed) return await stream(response, words, draws);
        await sleep(draws.between(0, PAUSE_MS * 4));
        sendJson(response, 200, whole(words));
      };
      // Not as its script: that one's requests are all kept, for as long as the test lasts.
      fake.options.routes = { '/v1/chat/completions': answer };
      fake.modelsScript = null;
      return server;
    }),
  );
}

async function stream(response: ServerResponse, words: readonly string[], draws: Draws): Promise<void> {
  beginEvents(response);
  for (const word of words) {
    if (response.destroyed) return;
    if (!response.write(chunkEvent(word))) await roomIn(response);
    if (draws.chance(0.3)) await sleep(draws.between(0, PAUSE_MS));
  }
  response.end(`${lastChunk}${usageEvent}${doneEvent}`);
}

function whole(words: readonly string[]): object {
  return {
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: 1,
    model: 'org/model',
    choices: [{ index: 0, message: { role: 'assistant', content: words.join('') }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  };
}

interface Asked {
  readonly words: readonly string[];
  readonly streamed: boolean;
}

type Illness = (response: ServerResponse, asked: Asked) => unknown;

function pickIllness(draws: Draws): Illness {
  // The costliest is rare.
  return draws.chance(0.04) ? flood : draws.pick(illnesses);
}

/** Half of an event, behind a whole one, or of a body. */
function half(response: ServerResponse, { words, streamed }: Asked): void {
  const [first = '', second = ''] = words;
  if (streamed) beginEvents(response).write(chunkEvent(first) + chunkEvent(second).slice(0, 40));
  else response.writeHead(200, { 'content-type': 'application/json' }).write(JSON.stringify(whole(words)).slice(0, 60));
}

const illnesses: readonly Illness[] = [
  (response) => response.socket?.resetAndDestroy(),
  async (response, asked) => {
    half(response, asked);
    await sleep(PAUSE_MS);
    response.socket?.resetAndDestroy();
  },
  async (response, asked) => {
    half(response, asked);
    await sleep(PAUSE_MS);
    response.socket?.end();
  },
  // Falls silent in the middle.
  half,
  (response, asked) => {
    half(response, asked);
    response.end();
  },
  (response, asked) => {
    if (!asked.streamed) return sendJson(response, 500, { error: { message: 'CUDA error', code: 500 } });
    beginEvents(response).end(`${chunkEvent(asked.words[0] ?? '')}data: {"error": {"message": "CUDA error"}}\n\n`);
  },
  (response, { streamed }) => {
    if (streamed) beginEvents(response).end('data: \u0000\u0001 no JSON\n\n');
    else response.writeHead(200, { 'content-type': 'application/json' }).end('\u0000\u0001 no JSON');
  },
  (response) => response.socket?.end('\u0000\u0001 no HTTP\r\n\r\n'),
  (response) => response.writeHead(503).end('busy'),
];

/** Resolves when more can be written, or nobody reads any more. */
async function roomIn(response: ServerResponse): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  // what the other one listens with would else stay: a response is waited for many times
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).finally(() =>
    over.abort(),
  );
}

/** One event, or one body, that takes no end. */
async function flood(response: ServerResponse, { streamed }: Asked): Promise<void> {
  if (streamed) beginEvents(response).write('data: ');
  else response.writeHead(200, { 'content-type': 'application/json' });
  for (let sent = 0; sent < FLOOD_BYTES && !response.destroyed; sent += PIECE.length) {
    if (!response.write(PIECE)) await roomIn(response);
  }
  response.end();
}
