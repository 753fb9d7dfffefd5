import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'undici';
import type { Outcome } from './ledger.ts';
import { type Question, wholeAnswer } from './questions.ts';

/** Longer than any answer may take here: one that is not there by then never comes. */
const DEADLINE_MS = 60_000;
/** How long one that leaves stays, and one that reads slowly waits between two reads, at most. */
const LEAVES_AFTER_MS = 150;
const READ_PAUSE_MS = 60;

/** What may come of what is broken here, and of limits. */
const EXPECTED = new Set([
  'rate_limit_exceeded',
  'not_ready',
  'shutting_down',
  'redis_unavailable',
  'upstream_unreachable',
  'upstream_broken',
  'upstream_invalid',
  'upstream_timed_out',
  // The model servers' own, as sick ones answer.
  'server_error',
  'without a code',
]);

/** Asks, reads all of the answer, and holds it against what the model said. */
export async function ask(connections: Pool, question: Question, patience: number): Promise<Outcome> {
  const leaving = new AbortController();
  const tooLong = AbortSignal.timeout(DEADLINE_MS);
  if (question.client === 'leaves') setTimeout(() => leaving.abort(), patience * LEAVES_AFTER_MS).unref();
  try {
    const response = await connections.request({
      method: 'POST',
      path: question.path,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${question.key}`,
        'x-request-id': question.id,
      },
      body: question.body,
      signal: AbortSignal.any([leaving.signal, tooLong]),
    });
    let text = '';
    for await (const chunk of response.body) {
      text += String(chunk);
      if (question.client === 'slow') await sleep(patience * READ_PAUSE_MS);
    }
    const label = response.headers['x-preamble-prompt'];
    const prompt = typeof label === 'string' ? (label.split('@')[1] ?? null) : null;
    if (response.headers['x-request-id'] !== question.id)
      return untrue('another request id', response.statusCode, text);
    if (response.statusCode !== 200) return readRefusal(response.statusCode, text);
    return question.stream ? readStream(text, prompt, question) : readWhole(text, prompt, question);
  } catch (error) {
    if (leaving.signal.aborted) return { kind: 'left' };
    if (tooLong.aborted) return { kind: 'untrue', reason: `no end of the answer in ${DEADLINE_MS} ms` };
    return { kind: 'cut', reason: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

function untrue(reason: string, status: number, text: string): Outcome {
  return { kind: 'untrue', reason: `${reason} (${status}: ${text.slice(-300)})` };
}

/** An error in OpenAI's shape. */
function readRefusal(status: number, text: string): Outcome {
  const code = errorCode(parse(text));
  if (code === null) return untrue('an error without words', status, text);
  return EXPECTED.has(code)
    ? { kind: 'refused', status, code }
    : untrue('an error that nothing explains', status, text);
}

function readWhole(text: string, prompt: string | null, question: Question): Outcome {
  // `/v1/responses` says in the body, and with the status 200, that an answer broke off.
  const said = parse(text) === null ? null : saidIn(parse(text));
  return said === wholeAnswer(question) ? { kind: 'complete', prompt } : untrue('another answer', 200, text);
}

function readStream(text: string, prompt: string | null, question: Question): Outcome {
  const events = text
    .split('\n\n')
    .map((event) => /^data: (.*)$/m.exec(event)?.[1])
    .filter((data) => data !== undefined);
  const parts = events.filter((data) => data !== '[DONE]').map(parse);
  const code = parts.map(errorCode).find((found) => found !== null) ?? null;
  const ended =
    question.path === '/v1/responses' ? text.includes('event: response.completed\n') : events.at(-1) === '[DONE]';
  if (code !== null)
    return ended ? untrue('an error, and then the end of a sound answer', 200, text) : { kind: 'broken', code };
  if (!ended) return untrue('a stream that ends without a word', 200, text);
  const said = parts.map(deltaIn).join('');
  return said === wholeAnswer(question) ? { kind: 'complete', prompt } : untrue('another answer', 200, text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A value somewhere within what JSON.parse returned. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

function errorCode(value: unknown): string | null {
  const error = at(value, 'type') === 'error' ? value : at(value, 'error');
  const message = at(error, 'message');
  if (typeof message !== 'string' || message === '') return null;
  return String(at(error, 'code') ?? at(error, 'type') ?? 'without a code');
}

function saidIn(body: unknown): unknown {
  return at(body, 'choices', 0, 'message', 'content') ?? at(body, 'output', 0, 'content', 0, 'text');
}

function deltaIn(part: unknown): string {
  const said =
    at(part, 'type') === 'response.output_text.delta' ? at(part, 'delta') : at(part, 'choices', 0, 'delta', 'content');
  return typeof said === 'string' ? said : '';
}
