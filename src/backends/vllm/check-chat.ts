import type { ChatRequest, ContentPart } from '../../openai/chat.ts';
import type { PromptVersion } from '../../prompts/registry.ts';
import type { PromptPosition, StoredSoftPrompt } from '../../prompts/soft-prompt.ts';
import { chatBody } from '../upstream/chat-body.ts';
import { type Check, type CheckContext, failed, ok } from '../upstream/check.ts';
import { describeProbe, isSame, type ProbeAnswer, readProbe } from '../upstream/probe-answer.ts';
import { postJson } from '../upstream/server-json.ts';
import { checkTaken } from './check.ts';
import { partFront } from './part-front.ts';
import { promptPart, textPart } from './prompt-part.ts';

/** Tokens that a template may put between two parts: a line feed, or a pair of them. */
const MAX_JOINER_TOKENS = 3;
const QUESTION = 'What is the capital of France?';

interface ChatCheckContext extends CheckContext {
  readonly place: PromptPosition;
}

/**
 * Whether a prompt does on the chat wire what it is meant to: it is taken, stands as a part and not as the text of a list, counts its
 * virtual tokens, and, where it was made from a text, makes the model say what it says under that text. Ends at the first that fails.
 * Throws `upstream_*` where the server cannot be asked.
 */
export async function checkOnChat(context: ChatCheckContext, prompt: PromptVersion): Promise<Check[]> {
  const rows = await prompt.load();
  const { check, answer } = await checkTaken(rows.label, rows.hiddenSize, () => ask(context, 'x', [promptPart(rows)]));
  if (answer === null) return [check];
  const parts = await checkParts(context);
  if (parts.outcome === 'failed') return [check, parts];
  const checks = [check, parts, await checkCount(context, rows, answer.promptTokens)];
  const { text, training } = prompt.manifest;
  // A trained prompt keeps the text that it began with, and no longer means the same.
  if (text === undefined || training !== undefined) return checks;
  return [...checks, await checkText(context, text, answer)];
}

/** A template that takes the system message for a string prints a list of parts as Python would. */
async function checkParts(context: ChatCheckContext): Promise<Check> {
  const name = 'content parts';
  const plain = await ask(context, 'x', []);
  const parts = await ask(context, [{ type: 'text', text: 'x' }], []);
  if (plain.promptTokens === parts.promptTokens) return ok(name, 'The template reads them as their text.');
  return failed(
    name,
    `The template does not read content parts as their text: ${parts.promptTokens} tokens instead of ${plain.promptTokens}.`,
    'Start vLLM with --chat-template-content-format string, or use the completions wire.',
  );
}

async function checkCount(context: ChatCheckContext, rows: StoredSoftPrompt, once: number): Promise<Check> {
  const name = 'virtual tokens';
  const part = promptPart(rows);
  const { promptTokens: twice } = await ask(context, 'x', [part, part]);
  const added = twice - once;
  if (added >= rows.tokens && added <= rows.tokens + MAX_JOINER_TOKENS) {
    return ok(name, `A second prompt of ${rows.tokens} adds ${added} tokens.`);
  }
  return failed(
    name,
    `A second prompt of ${rows.tokens} virtual tokens adds ${added}.`,
    'The template loses or repeats it: use the completions wire, or the other position.',
  );
}

async function checkText(context: ChatCheckContext, text: string, rows: ProbeAnswer): Promise<Check> {
  const name = 'same as text';
  const spoken = await ask(context, 'x', [textPart(text)]);
  if (isSame(spoken, rows)) return ok(name, `Equal: ${describeProbe(rows)}.`);
  return failed(
    name,
    `Not equal: ${describeProbe(rows)}, under its text ${describeProbe(spoken)}.`,
    'The server holds another model than the prompt was made for, or its template moves the prompt.',
  );
}

/** One token of an answer, with `front` where the soft prompt stands. */
async function ask(
  { server, model, place, call }: ChatCheckContext,
  content: string | ContentPart[],
  front: readonly Uint8Array[],
): Promise<ProbeAnswer> {
  const system = { role: 'system' as const, content };
  const question = { role: 'user' as const, content: QUESTION };
  const request: ChatRequest = {
    model,
    messages: place === 'system' ? [system, question] : [{ role: 'user', content }],
    ...{ max_tokens: 1, temperature: 0, logprobs: true },
  };
  const bytes = Buffer.from(JSON.stringify(request));
  const parts = Buffer.concat(front.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(','), part])));
  const body = chatBody(bytes, request, { model, place, front: parts.length === 0 ? null : partFront(parts) });
  return readProbe(await postJson(server, '/v1/chat/completions', body, call), server.url);
}
