import type { ChatRequest } from '../../openai/chat.ts';
import type { PromptVersion } from '../../prompts/registry.ts';
import { chatBody } from '../upstream/chat-body.ts';
import { type Check, type CheckContext, failed, ok } from '../upstream/check.ts';
import type { LocalModel } from '../upstream/local-model.ts';
import { describeProbe, isSame, type ProbeAnswer, readProbe } from '../upstream/probe-answer.ts';
import { postJson } from '../upstream/server-json.ts';
import { textFront } from '../upstream/text-front.ts';
import type { SpelledPrompt, SpelledPrompts } from './graft.ts';

const QUESTION = 'What is the capital of France?';

/** Nats. Weights of four bits move a likely token by a tenth or two; other rows move it by whole nats. */
const MAX_DIFFERENCE = 0.25;

interface GraftCheckContext extends CheckContext {
  readonly prompts: SpelledPrompts;
  readonly local: LocalModel | null;
}

/**
 * Whether a server serves the graft: each spelled token is one token to it, and the model says under the tokens of a prompt that was made
 * from a text what it says under that text. Ends at the first that fails. Throws `upstream_*` where the server cannot be asked.
 */
export async function checkGraftOn(context: GraftCheckContext, prompt: PromptVersion): Promise<Check[]> {
  const spelled = context.prompts.find(prompt.digest);
  // Those that are not there were refused before.
  if (spelled === null) return [];
  const place = context.local?.systemRole === false ? 'user' : spelled.position;
  const once = await ask(context, place, spelled.spelled);
  const count = await checkCount(context, place, spelled, once);
  const computed = count.outcome === 'failed' ? [] : await checkComputed(context, place, prompt, once);
  const { text, training } = prompt.manifest;
  // A trained prompt keeps the text that it began with, and no longer means the same. In a user message the text may merge with what follows.
  if (count.outcome === 'failed' || text === undefined || training !== undefined || place === 'user') {
    return [count, ...computed];
  }
  const spoken = await ask(context, place, text);
  const name = 'same as text';
  if (isSame(spoken, once)) return [count, ...computed, ok(name, `Equal: ${describeProbe(once)}.`)];
  return [
    count,
    ...computed,
    failed(
      name,
      `Not equal: ${describeProbe(once)}, under its text ${describeProbe(spoken)}.`,
      'The server knows the tokens, but not their rows: serve what preamble graft wrote, converted by nothing else.',
    ),
  ];
}

async function checkCount(
  context: GraftCheckContext,
  place: 'system' | 'user',
  { spelled, ids }: SpelledPrompt,
  once: ProbeAnswer,
): Promise<Check> {
  const name = 'virtual tokens';
  const twice = await ask(context, place, spelled + spelled);
  const added = twice.promptTokens - once.promptTokens;
  if (added === ids.length) return ok(name, `${ids.length} virtual tokens count as ${added}.`);
  return failed(
    name,
    `${ids.length} virtual tokens count as ${added}: the server does not serve this graft.`,
    `Serve the model that lies beside ${context.prompts.path ?? 'the graft'}, tokenizer included.`,
  );
}

/** Whether the server says what the model itself does under the prompt's rows: nothing where the model is not here. */
async function checkComputed(
  { reference }: GraftCheckContext,
  place: 'system' | 'user',
  prompt: PromptVersion,
  { token, logprob }: ProbeAnswer,
): Promise<Check[]> {
  if (reference === undefined) return [];
  const name = 'same as the model';
  const spoken = await reference.ask(await prompt.load(), place, QUESTION);
  const same = spoken.find(({ text }) => text === token);
  const said = `${JSON.stringify(token)} at ${logprob.toFixed(4)}`;
  if (same !== undefined && Math.abs(same.logprob - logprob) <= MAX_DIFFERENCE) {
    return [ok(name, `${said}, computed here from its files ${same.logprob.toFixed(4)}.`)];
  }
  const here = same === undefined ? 'is not among the likeliest here' : `is ${same.logprob.toFixed(4)} here`;
  return [
    failed(
      name,
      `${said} ${here}: the rows are not the prompt's, or the model is another.`,
      'Serve what preamble graft wrote for this prompt and this model, and name that model as modelDirectory.',
    ),
  ];
}

/** One token of an answer, with `front` where the soft prompt stands and nothing else in its message but a question for the user. */
async function ask(
  { server, model, call }: GraftCheckContext,
  place: 'system' | 'user',
  front: string,
): Promise<ProbeAnswer> {
  const request: ChatRequest = {
    model,
    messages: [{ role: 'user', content: QUESTION }],
    ...{ max_tokens: 1, temperature: 0, logprobs: true, top_logprobs: 1 },
  };
  const bytes = Buffer.from(JSON.stringify(request));
  const body = chatBody(bytes, request, { model, place, front: textFront(front) });
  return readProbe(await postJson(server, '/v1/chat/completions', body, call), server.url);
}
