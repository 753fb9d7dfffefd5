import semver from 'semver';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { PreambleError } from '../../errors.ts';
import type { ChatRequest, ContentPart } from '../../openai/chat.ts';
import type { PromptVersion } from '../../prompts/registry.ts';
import type { StoredSoftPrompt } from '../../prompts/soft-prompt.ts';
import type { UpstreamServer } from '../upstream/server.ts';
import { chatBody } from './chat-body.ts';
import { readVersion } from './discovery.ts';
import { promptPart, textPart } from './prompt-part.ts';
import { postJson, type ServerCall } from './server-json.ts';

/** Parts of a message that are embeddings came with this release. */
const FIRST_WITH_PARTS = '0.21.0';
/** Before it, a client's tensor could harm the server (CVE-2026-56340 and others); through the gateway none gets there, past it one may. */
const FIRST_SAFE = '0.26.0';
/** Tokens that a template may put between two parts: a line feed, or a pair of them. */
const MAX_JOINER_TOKENS = 3;
/** Two runs of the same numbers differ by the order of sums at most; another place for the prompt differs by whole nats. */
const MAX_LOGPROB_DIFFERENCE = 0.05;

/** One thing that was looked at, for `preamble doctor` and for the start. */
export interface Check {
  readonly name: 'version' | 'prompt embeddings' | 'content parts' | 'virtual tokens' | 'same as text';
  /** `warning`: it serves, and should be seen to. */
  readonly outcome: 'ok' | 'warning' | 'failed';
  /** One sentence. */
  readonly finding: string;
  /** What to do about it; null where nothing need be done. */
  readonly action: string | null;
}

export interface CheckContext {
  readonly server: UpstreamServer;
  /** The server's name for the model. */
  readonly model: string;
  readonly place: 'system' | 'user';
  readonly call: ServerCall;
}

/** What can be said without a prompt. Throws `upstream_*` where the server cannot be asked. */
export async function checkVersion({ server, call }: CheckContext): Promise<Check> {
  const version = await readVersion(server, call);
  const name = 'version';
  if (version === null) return ok(name, 'The server does not say its version.');
  const parsed = semver.coerce(version);
  const finding = `vLLM ${version}.`;
  if (parsed === null) return ok(name, finding);
  if (semver.lt(parsed, FIRST_WITH_PARTS)) {
    return { name, outcome: 'warning', finding, action: `Use the completions wire, or vLLM ${FIRST_SAFE} or later.` };
  }
  if (semver.lt(parsed, FIRST_SAFE)) {
    return { name, outcome: 'warning', finding, action: `Upgrade to ${FIRST_SAFE} or later: it has security fixes.` };
  }
  return ok(name, finding);
}

/**
 * Whether a prompt does on the server what it is meant to: it is taken, stands as a part and not as the text of a list, counts its virtual
 * tokens, and, where it was made from a text, makes the model say what it says under that text. Ends at the first that fails. Throws
 * `upstream_*` where the server cannot be asked.
 */
export async function checkPromptOn(context: CheckContext, prompt: PromptVersion): Promise<Check[]> {
  const rows = await prompt.load();
  const checks: Check[] = [];
  const taken = await checkTaken(context, rows);
  checks.push(taken.check);
  if (taken.answer === null) return checks;
  const parts = await checkParts(context);
  checks.push(parts);
  if (parts.outcome === 'failed') return checks;
  checks.push(await checkCount(context, rows, taken.answer.promptTokens));
  const { text, training } = prompt.manifest;
  // A trained prompt keeps the text that it began with, and no longer means the same.
  if (text !== undefined && training === undefined) checks.push(await checkText(context, text, taken.answer));
  return checks;
}

async function checkTaken(
  context: CheckContext,
  rows: StoredSoftPrompt,
): Promise<{ check: Check; answer: ProbeAnswer | null }> {
  const name = 'prompt embeddings';
  try {
    const answer = await ask(context, 'x', [promptPart(rows)]);
    return { check: ok(name, `Enabled; rows of ${rows.hiddenSize} values are taken.`), answer };
  } catch (error) {
    if (!(error instanceof PreambleError) || error.code !== 'upstream_error' || error.status >= 500) throw error;
    const finding = `The server refuses ${rows.label}: ${error.message}`;
    const action = /enable-prompt-embeds/.test(error.message)
      ? 'Start vLLM with --enable-prompt-embeds.'
      : 'Check that the prompt was made for this model, and that vLLM runs with --enable-prompt-embeds.';
    return { check: { name, outcome: 'failed', finding, action }, answer: null };
  }
}

/** A template that takes the system message for a string prints a list of parts as Python would. */
async function checkParts(context: CheckContext): Promise<Check> {
  const name = 'content parts';
  const plain = await ask(context, 'x', []);
  const parts = await ask(context, [{ type: 'text', text: 'x' }], []);
  if (plain.promptTokens === parts.promptTokens) return ok(name, 'The template reads them as their text.');
  return {
    name,
    outcome: 'failed',
    finding: `The template does not read content parts as their text: ${parts.promptTokens} tokens instead of ${plain.promptTokens}.`,
    action: 'Start vLLM with --chat-template-content-format string, or use the completions wire.',
  };
}

async function checkCount(context: CheckContext, rows: StoredSoftPrompt, once: number): Promise<Check> {
  const name = 'virtual tokens';
  const part = promptPart(rows);
  const { promptTokens: twice } = await ask(context, 'x', [part, Buffer.from(','), part]);
  const added = twice - once;
  if (added >= rows.tokens && added <= rows.tokens + MAX_JOINER_TOKENS) {
    return ok(name, `A prompt of ${rows.tokens} counts ${added} tokens.`);
  }
  return {
    name,
    outcome: 'failed',
    finding: `A prompt of ${rows.tokens} virtual tokens counts ${added}.`,
    action: 'The template loses or repeats it: use the completions wire, or the other position.',
  };
}

async function checkText(context: CheckContext, text: string, rows: ProbeAnswer): Promise<Check> {
  const name = 'same as text';
  const spoken = await ask(context, 'x', [textPart(text)]);
  const difference = Math.abs(spoken.logprob - rows.logprob);
  const same = spoken.token === rows.token && difference <= MAX_LOGPROB_DIFFERENCE;
  const figures = `next token ${JSON.stringify(rows.token)} at ${rows.logprob.toFixed(4)}, under the text ${JSON.stringify(spoken.token)} at ${spoken.logprob.toFixed(4)}`;
  if (same && spoken.promptTokens === rows.promptTokens) return ok(name, `Equal: ${figures}.`);
  return {
    name,
    outcome: 'failed',
    finding: `Not equal: ${figures}; ${rows.promptTokens} tokens against ${spoken.promptTokens}.`,
    action: 'The server holds another model than the prompt was made for, or its template moves the prompt.',
  };
}

interface ProbeAnswer {
  readonly promptTokens: number;
  readonly token: string;
  readonly logprob: number;
}

const answerSchema = Type.Object(
  {
    usage: Type.Object({ prompt_tokens: Type.Integer() }, { additionalProperties: true }),
    choices: Type.Array(
      Type.Object(
        {
          logprobs: Type.Object(
            {
              content: Type.Array(
                Type.Object({ token: Type.String(), logprob: Type.Number() }, { additionalProperties: true }),
                { minItems: 1 },
              ),
            },
            { additionalProperties: true },
          ),
        },
        { additionalProperties: true },
      ),
      { minItems: 1 },
    ),
  },
  { additionalProperties: true },
);

/** One token of an answer to a question that any model can answer, with `front` where the soft prompt stands. */
async function ask(
  { server, model, place, call }: CheckContext,
  content: string | ContentPart[],
  front: readonly Uint8Array[],
): Promise<ProbeAnswer> {
  const request: ChatRequest & Record<string, unknown> = {
    model,
    messages: [
      ...(place === 'system' ? [{ role: 'system' as const, content }] : []),
      { role: 'user', content: place === 'system' ? 'What is the capital of France?' : content },
    ],
    max_tokens: 1,
    temperature: 0,
    logprobs: true,
  };
  const bytes = Buffer.from(JSON.stringify(request));
  const body = chatBody(bytes, request, { model, place, front: front.length === 0 ? null : Buffer.concat(front) });
  const answer = await postJson(server, '/v1/chat/completions', body, call);
  const first = Value.Check(answerSchema, answer) ? answer.choices[0]?.logprobs.content[0] : undefined;
  if (!Value.Check(answerSchema, answer) || first === undefined) {
    throw new PreambleError('upstream_invalid', `${server.url} answers a probe in an unknown form.`, {
      action: 'Check that it is a vLLM server.',
    });
  }
  return { promptTokens: answer.usage.prompt_tokens, token: first.token, logprob: first.logprob };
}

function ok(name: Check['name'], finding: string): Check {
  return { name, outcome: 'ok', finding, action: null };
}
