import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { type Dispatcher, errors } from 'undici';
import { PreambleError, toError } from '../errors.ts';
import { collectWhole } from '../openai/whole-answer.ts';
import { createExcerpts } from './excerpts.ts';
import type { Guard, Verdict } from './guard.ts';

const open = { additionalProperties: true };

const answerSchema = Type.Object(
  {
    results: Type.Array(
      Type.Object(
        {
          flagged: Type.Boolean(),
          categories: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
          category_scores: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        },
        open,
      ),
      { minItems: 1 },
    ),
  },
  open,
);

const answers = Compile(answerSchema);

type Result = Type.Static<typeof answerSchema>['results'][number];

export interface ModerationsOptions {
  readonly url: string;
  /** What the endpoint is to judge with; null where it has but one. */
  readonly model: string | null;
  readonly apiKey: string | null;
  /** For one question. */
  readonly timeoutSeconds: number;
  /** Else each choice is judged once, when it is complete. */
  readonly bySentence: boolean;
  readonly dispatcher: Dispatcher;
}

const PASS: Verdict = { action: 'pass' };

/** A guard that asks an endpoint in the shape of OpenAI's `POST /v1/moderations`: what it flags is replaced. */
export function createModerationsGuard(options: ModerationsOptions): Guard {
  return {
    name: 'http',
    start({ requestId, signal }) {
      const excerpts = createExcerpts(options.bySentence);
      const judge = async (inputs: readonly string[]): Promise<Verdict> => {
        const results = await ask(options, inputs, requestId, signal);
        const flagged = results.find((result) => result.flagged);
        return flagged === undefined ? PASS : { action: 'replace', reason: categoryOf(flagged) };
      };
      return {
        push: (text) => (excerpts.push(text) ? judge(excerpts.take()) : null),
        end() {
          const inputs = excerpts.take();
          return inputs.length === 0 ? PASS : judge(inputs);
        },
      };
    },
  };
}

/** One result an input. Throws PreambleError `upstream_*`. */
async function ask(
  { url, model, apiKey, timeoutSeconds, dispatcher }: ModerationsOptions,
  inputs: readonly string[],
  requestId: string,
  signal: AbortSignal,
): Promise<readonly Result[]> {
  const [first] = inputs;
  const { origin, pathname, search } = new URL(url);
  const request = {
    origin,
    path: pathname + search,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-request-id': requestId,
      ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
    },
    body: JSON.stringify({ ...(model === null ? {} : { model }), input: inputs.length === 1 ? first : inputs }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]),
  } as const;
  try {
    return await read(await sendTwice(dispatcher, request), inputs.length);
  } catch (error) {
    throw error instanceof PreambleError ? error : notAsked(error);
  }
}

/** A question changes nothing, and may be asked again where the connection broke: it may have been closed while nobody used it. */
async function sendTwice(dispatcher: Dispatcher, request: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
  try {
    return await dispatcher.request(request);
  } catch (error) {
    const broken =
      error instanceof errors.SocketError || (error instanceof Error && Reflect.get(error, 'code') === 'ECONNRESET');
    if (!broken) throw error;
    return await dispatcher.request(request);
  }
}

async function read({ statusCode, body }: Dispatcher.ResponseData, asked: number): Promise<readonly Result[]> {
  const bytes = await collectWhole(body);
  if (statusCode !== 200) {
    throw new PreambleError('upstream_error', `The guard answered with status ${statusCode}.`, {
      action: 'Check guard.url and guard.apiKey.',
    });
  }
  const value = parse(bytes.toString('utf8'));
  if (!answers.Check(value) || value.results.length < asked) {
    throw new PreambleError('upstream_invalid', "The guard's answer has not the shape of OpenAI's moderations.", {
      action: 'Check guard.url.',
    });
  }
  return value.results;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function notAsked(thrown: unknown): PreambleError {
  const cause = toError(thrown);
  return cause.name === 'TimeoutError'
    ? new PreambleError('upstream_timed_out', 'The guard did not answer in time.', { cause })
    : new PreambleError('upstream_unreachable', 'The guard cannot be reached.', { cause });
}

/** What may go into logs and labels: a category's name, and no text that an endpoint puts in its place. */
const CODE = /^[a-z0-9][a-z0-9_/.-]{0,63}$/i;

/** The category that weighs most, of those that were flagged. */
function categoryOf({ categories = {}, category_scores: scores = {} }: Result): string {
  const weight = (name: string) => {
    const score = scores[name];
    return typeof score === 'number' ? score : 0;
  };
  const [heaviest] = Object.keys(categories)
    .filter((name) => categories[name] === true && CODE.test(name))
    .sort((a, b) => weight(b) - weight(a));
  return heaviest ?? 'flagged';
}
