import { walkJson } from '../openai/walk-json.ts';

/** English text has about four bytes a token; JSON's own signs make up for other languages' fewer. */
const BYTES_PER_TOKEN = 4;
/** For requests that set no bound: more than most answers have. */
const ASSUMED_ANSWER_TOKENS = 512;
/** A picture is this many tokens or so, however many bytes it has. */
const MEDIA_TOKENS = 1_000;
/** Below this size a picture or sound within the body does not make the estimate far wrong. */
const SMALL_BODY_BYTES = 16_384;

/** Roughly how many tokens a request's prompt has; corrected by the model server's own count once the answer has ended. */
export function estimatePromptTokens(bodyBytes: number, content: unknown): number {
  if (bodyBytes < SMALL_BODY_BYTES) return Math.ceil(bodyBytes / BYTES_PER_TOKEN);
  let bytes = bodyBytes;
  let media = 0;
  walkJson(content, ({ value, key }) => {
    // `image_url: {url: "data:…"}`, `input_audio: {data: "…"}`
    if (typeof value !== 'string' || !(key === 'data' || (key === 'url' && value.startsWith('data:')))) return;
    bytes -= value.length;
    media++;
  });
  return Math.ceil(Math.max(0, bytes) / BYTES_PER_TOKEN) + media * MEDIA_TOKENS;
}

/** The most that an answer may have, where the request says so. */
export function estimateAnswerTokens(maxTokens: number | undefined, choices: number): number {
  return (maxTokens ?? ASSUMED_ANSWER_TOKENS) * choices;
}

/** Of an answer that broke off before the model server counted its tokens. */
export function estimateSeenTokens(characters: number): number {
  return Math.ceil(characters / BYTES_PER_TOKEN);
}
