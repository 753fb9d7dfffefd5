import type { ChatLogprobs, ChatTokenLogprob } from './chat.ts';
import type { CompletionLogprobs } from './completions.ts';

export interface TokenAlternative {
  /** As it reads alone; U+FFFD where it is part of a character. */
  readonly text: string;
  /** UTF-8; null for tokens that stand for no text. */
  readonly bytes: readonly number[] | null;
  readonly logprob: number;
}

/** A token of the answer with its logprob and the alternatives, best first. */
export interface ReportedToken extends TokenAlternative {
  readonly top: readonly TokenAlternative[];
}

/** JSON has no -Infinity; OpenAI and vLLM report this instead. */
const LEAST_LOGPROB = -9999;

export function toChatLogprobs(tokens: readonly ReportedToken[]): ChatLogprobs {
  return {
    content: tokens.map((token) => ({ ...chatToken(token), top_logprobs: token.top.map(chatToken) })),
    refusal: null,
  };
}

function chatToken(token: TokenAlternative): ChatTokenLogprob {
  return { token: token.text, logprob: finite(token.logprob), bytes: token.bytes === null ? null : [...token.bytes] };
}

/**
 * `textOffset` is where the first token begins, in code points of the whole text. As with OpenAI and vLLM the chosen token is always
 * among `top_logprobs`, which may therefore hold one more than was asked for; where two tokens read alike, the likelier is kept.
 */
export function toCompletionLogprobs(tokens: readonly ReportedToken[], textOffset: number): CompletionLogprobs {
  const offsets: number[] = [];
  let offset = textOffset;
  for (const token of tokens) {
    offsets.push(offset);
    offset += codePoints(token.text);
  }
  return {
    tokens: tokens.map((token) => token.text),
    token_logprobs: tokens.map((token) => finite(token.logprob)),
    top_logprobs: tokens.map(topByText),
    text_offset: offsets,
  };
}

function topByText(token: ReportedToken): Record<string, number> {
  const best = new Map<string, number>();
  for (const { text, logprob } of [...token.top, token]) {
    if (logprob > (best.get(text) ?? -Infinity)) best.set(text, finite(logprob));
  }
  return Object.fromEntries(best);
}

/** The length of a text as OpenAI counts it: in Unicode code points. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function finite(logprob: number): number {
  return Math.max(logprob, LEAST_LOGPROB);
}
