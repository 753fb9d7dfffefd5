import type { Test } from 'tap';
import { type FakeVllm, type Received, type Script, sendJson, startFakeVllm } from './fake-vllm.ts';

export interface FakeGuard {
  /** `http://127.0.0.1:PORT/v1/moderations` */
  readonly url: string;
  /** The inputs of every question, in order. */
  readonly inputs: string[][];
  readonly received: readonly Received[];
  /** What answers from now on; null: what holds {@link flags} is flagged. */
  script: Script | null;
  flags: string;
  readonly server: FakeVllm;
}

/** In no answer but those that are to be flagged. */
export const word = 'zqxforbidden';

/** A moderation endpoint on a real socket, in OpenAI's shape. */
export async function startFakeGuard(t: Test): Promise<FakeGuard> {
  const inputs: string[][] = [];
  const received: Received[] = [];
  const server = await startFakeVllm(t, {
    routes: {
      '/v1/moderations': async (response, from) => {
        received.push(from);
        const asked: string[] = [JSON.parse(String(from.body)).input].flat();
        inputs.push(asked);
        await (guard.script ?? ((to) => sendJson(to, 200, verdict(asked, guard.flags))))(response, from);
      },
    },
  });
  const guard: FakeGuard = {
    url: `${server.origin}/v1/moderations`,
    inputs,
    received,
    script: null,
    flags: word,
    server,
  };
  return guard;
}

function verdict(inputs: readonly string[], flags: string) {
  const results = inputs.map((input) => {
    const flagged = input.includes(flags);
    return {
      flagged,
      categories: { harassment: flagged, violence: flagged, sexual: false },
      category_scores: { harassment: 0.2, violence: flagged ? 0.9 : 0.1, sexual: 0.95 },
    };
  });
  return { id: 'modr-1', model: 'omni-moderation-latest', results };
}
