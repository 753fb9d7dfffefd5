import type { GeneratedToken, TokenLogprob } from '../../engine/generation.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { ReportedToken } from '../../openai/logprobs.ts';

/** Ids as a client reads them. */
export function reportTokens(tokenizer: Tokenizer, tokens: readonly GeneratedToken[]): ReportedToken[] {
  const alternative = ({ tokenId, logprob }: TokenLogprob) => ({
    text: tokenizer.tokenText(tokenId),
    bytes: [...tokenizer.tokenBytes(tokenId)],
    logprob,
  });
  return tokens.map((token) => ({ ...alternative(token), top: token.top.map(alternative) }));
}
