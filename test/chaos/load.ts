import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import { ask } from './client.ts';
import type { Draws } from './draws.ts';
import type { Ledger } from './ledger.ts';
import { drawQuestion, type Question } from './questions.ts';
import { KEYS } from './settings.ts';
import type { Place } from './world.ts';

const CLIENTS = 12;
const THINK_MS = 250;

export interface Load {
  begin(): void;
  /** Lets what runs end. */
  stop(): Promise<void>;
  /** Streams that nobody reads for a time, and then leaves. */
  stall(place: Place, streams: number, milliseconds: number): Promise<void>;
}

/** Clients that ask one question after the other, each of a gateway that the balancer picks. */
export function createLoad(places: readonly Place[], ledger: Ledger, draws: Draws): Load {
  let running: Promise<void>[] = [];
  let stopped = true;
  let asked = 0;

  const next = () => drawQuestion(draws, `q-${++asked}`, KEYS);

  async function oneClient(): Promise<void> {
    while (!stopped) {
      const there = places.filter(({ inRotation }) => inRotation);
      if (there.length > 0) await askOne(draws.pick(there), next());
      await sleep(draws.between(0, THINK_MS));
    }
  }

  async function askOne(place: Place, question: Question): Promise<void> {
    const { process, life } = place;
    if (process === null || life === null) return;
    ledger.asked({ ...question, life });
    ledger.ended(question.id, await ask(process.connections, question, draws.fraction()));
  }

  return {
    begin() {
      stopped = false;
      running = Array.from({ length: CLIENTS }, oneClient);
    },
    async stop() {
      stopped = true;
      await Promise.all(running);
    },
    async stall(place, streams, milliseconds) {
      const { process, life } = place;
      if (process === null || life === null) return;
      await Promise.all(
        Array.from({ length: streams }, async () => {
          const question = next();
          const body = JSON.stringify({
            model: 'chat',
            stream: true,
            messages: [{ role: 'user', content: `Question ${question.id} long` }],
          });
          ledger.asked({ ...question, model: 'chat', life });
          await stallOne(process.origin, question, body, milliseconds);
          ledger.ended(question.id, { kind: 'left' });
        }),
      );
    },
  };
}

/** A connection of its own, as it may be closed from either side. */
async function stallOne(origin: string, { id, key }: Question, body: string, milliseconds: number): Promise<void> {
  const connection = new Client(origin);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}`, 'x-request-id': id };
  const asked = connection.request({ method: 'POST', path: '/v1/chat/completions', headers, body });
  // Its body is what nobody reads; that it is broken off is no news.
  const begun = asked.then((response) => response.body.on('error', () => {}));
  await Promise.all([begun.catch(() => {}), sleep(milliseconds)]);
  await connection.destroy();
}
