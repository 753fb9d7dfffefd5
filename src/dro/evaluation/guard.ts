import { setTimeout as sleep } from 'node:timers/promises';
import { createUpstreamServer, type ServerSettings } from '../../backends/upstream/server.ts';
import { PreambleError } from '../../errors.ts';
import { parseUpstreamJson, readChat } from '../../openai/read-answer.ts';
import { collectWhole } from '../../openai/whole-answer.ts';
import { explained, isWorthTryingAgain, waitBefore } from '../answers/server-retries.ts';

/** Verdicts at a time: one word each. */
const CONCURRENCY = 16;
const TRIES = 5;
const FIRST_WAIT_MS = 500;
/** "unsafe" and the category in its next line; some guards put a word in front. */
const MAX_TOKENS = 16;

const SETTINGS: ServerSettings = {
  connections: CONCURRENCY,
  timeouts: { connectSeconds: 5, firstByteSeconds: 120, betweenBytesSeconds: 60 },
  // Asked for by the type, and not used: only a gateway's requests are judged.
  health: { failures: 1, ejectSeconds: 1, slowStartSeconds: 1, intervalSeconds: 1 },
};

export interface GuardOptions {
  url: string;
  model: string;
  apiKey?: string | undefined;
  tries?: number;
  firstWaitMs?: number;
}

/** A second judge, another model: is this answer to this query safe? */
export interface Guard {
  readonly name: string;
  readonly concurrency: number;
  /** Null for a verdict that cannot be read. Throws PreambleError `upstream_*`. */
  isUnsafe(exchange: { query: string; answer: string }, signal: AbortSignal): Promise<boolean | null>;
  close(): Promise<void>;
}

/**
 * A guard model behind an OpenAI-compatible server, asked as Llama Guard is: the conversation is the prompt, the answer begins with `safe` or
 * `unsafe` (the reference judges so, too).
 */
export function createGuard({ url, model, apiKey, ...retries }: GuardOptions): Guard {
  const { tries = TRIES, firstWaitMs = FIRST_WAIT_MS } = retries;
  const server = createUpstreamServer(url.replace(/\/+$/, '').replace(/\/v1$/, ''), SETTINGS);
  const headers = {
    'content-type': 'application/json',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };

  async function ask(query: string, answer: string, signal: AbortSignal): Promise<boolean | null> {
    const messages = [
      { role: 'user', content: query },
      { role: 'assistant', content: answer },
    ];
    const request = { model, messages, temperature: 0, max_tokens: MAX_TOKENS };
    const body = [Buffer.from(JSON.stringify(request))];
    const response = await server.ask({ method: 'POST', path: '/v1/chat/completions', headers, body, signal });
    const chat = readChat(parseUpstreamJson((await collectWhole(response.body)).toString()));
    if (chat === null)
      throw new PreambleError('upstream_invalid', 'The judge sent something that is not a chat answer.');
    return parseVerdict(chat.choices[0]?.message.content ?? '');
  }

  return {
    name: model,
    concurrency: CONCURRENCY,
    async isUnsafe({ query, answer }, signal) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await ask(query, answer, signal);
        } catch (error) {
          signal.throwIfAborted();
          if (!isWorthTryingAgain(error) || attempt >= tries) throw explained(error, url, attempt);
          await sleep(waitBefore(error, attempt, firstWaitMs), undefined, { signal });
        }
      }
    },
    close: () => server.close(),
  };
}

/** The first of the words "safe" and "unsafe". */
function parseVerdict(text: string): boolean | null {
  const verdict = /\b(?:un)?safe\b/i.exec(text)?.[0].toLowerCase();
  return verdict === undefined ? null : verdict === 'unsafe';
}
