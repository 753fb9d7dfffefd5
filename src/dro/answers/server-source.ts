import { setTimeout as sleep } from 'node:timers/promises';
import { createUpstreamServer, type ServerSettings, type UpstreamServer } from '../../backends/upstream/server.ts';
import type { AnswerSource } from './answer-source.ts';
import { readStreamedAnswer } from './read-streamed-answer.ts';
import { answerBody } from './server-body.ts';
import { onlyModel } from './server-model.ts';
import { explained, isWorthTryingAgain, waitBefore } from './server-retries.ts';

/** Answers that one server writes at a time: vLLM batches far more, but a laptop's llama.cpp queues them. */
const CONCURRENCY = 32;
/** With waits that double from half a second this is half a minute: a server that starts anew comes back within it. */
const TRIES = 7;
const FIRST_WAIT_MS = 500;

const TIMEOUTS = { connectSeconds: 5, firstByteSeconds: 120, betweenBytesSeconds: 60 };
/** Asked for by the type, and not used: only a gateway's requests are judged. */
const HEALTH = { failures: 1, ejectSeconds: 1, slowStartSeconds: 1, intervalSeconds: 1 };

export interface ServerSourceOptions {
  /** Base URLs of servers of the same model, with or without `/v1`: requests are spread over them. */
  urls: readonly string[];
  /** The servers' name for the model; null for the only one that they list. */
  model: string | null;
  apiKey?: string | undefined;
  /** Requests at a time to one server. */
  concurrency?: number;
  /** Whether the model's template knows system messages; if not, prompts stand in front of the user's own words. */
  systemRole?: boolean;
  tries?: number;
  /** Milliseconds before the first repetition; it doubles from one to the next. */
  firstWaitMs?: number;
}

interface Member {
  readonly server: UpstreamServer;
  outstanding: number;
  /** On `performance.now()`'s clock: until then others are asked first. */
  restsUntil: number;
}

/**
 * Answers from OpenAI-compatible servers, streamed. Soft prompts go as vLLM's `prompt_embeds`, which others refuse. What fails for a
 * passing reason is tried again, on another server where there is one. Throws PreambleError `upstream_*`.
 */
export async function openServerSource(options: ServerSourceOptions, signal: AbortSignal): Promise<AnswerSource> {
  const { concurrency = CONCURRENCY, systemRole = true } = options;
  const settings: ServerSettings = { connections: concurrency, timeouts: TIMEOUTS, health: HEALTH };
  const members = options.urls.map(
    (url): Member => ({ server: createUpstreamServer(baseUrl(url), settings), outstanding: 0, restsUntil: 0 }),
  );
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
  };
  const ask = <T>(question: (server: UpstreamServer) => Promise<T>, until: AbortSignal) =>
    insist(members, question, options, until);
  const close = async () => {
    await Promise.all(members.map(({ server }) => server.close()));
  };

  let model: string;
  try {
    model = options.model ?? (await ask((server) => onlyModel(server, headers, signal), signal));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    concurrency: concurrency * members.length,
    name: `server ${model}`,
    answer: (request, until) =>
      ask(async (server) => {
        const body = answerBody(request, { model, systemRole });
        const { body: events } = await server.ask({
          method: 'POST',
          path: '/v1/chat/completions',
          headers,
          body,
          signal: until,
        });
        return await readStreamedAnswer(events, request.untilDecided === true);
      }, until),
    close,
  };
}

/** Asks one server, and another or the same later when that fails for a passing reason. */
async function insist<T>(
  members: readonly Member[],
  question: (server: UpstreamServer) => Promise<T>,
  { tries = TRIES, firstWaitMs = FIRST_WAIT_MS }: Pick<ServerSourceOptions, 'tries' | 'firstWaitMs'>,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const member = leastBusy(members);
    member.outstanding++;
    try {
      return await question(member.server);
    } catch (error) {
      signal.throwIfAborted();
      if (!isWorthTryingAgain(error) || attempt >= tries) throw explained(error, member.server.url, attempt);
      const wait = waitBefore(error, attempt, firstWaitMs);
      member.restsUntil = performance.now() + wait;
      const allRest = members.every(({ restsUntil }) => restsUntil > performance.now());
      if (allRest) await sleep(wait, undefined, { signal }).catch(() => signal.throwIfAborted());
    } finally {
      member.outstanding--;
    }
  }
}

/** The one with the least to do, of those that do not rest if there are any. */
function leastBusy(members: readonly Member[]): Member {
  const now = performance.now();
  const load = ({ restsUntil, outstanding }: Member) => (restsUntil > now ? 1e6 : 0) + outstanding;
  return members.reduce((best, member) => (load(member) < load(best) ? member : best));
}

/** As people copy it from OpenAI's settings: with `/v1` at its end. */
function baseUrl(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/v1$/, '');
}
