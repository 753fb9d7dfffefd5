/** What goes over the wire in every scenario: made once, the same for every target. */

/** The model's name at the mock. */
export const MODEL = 'bench';
/** Of the prompt that makes 1.1 MB of 1 KB. */
export const PROMPT_TOKENS = 100;
export const HIDDEN_SIZE = 4096;
/** Of a request, in bytes: an ordinary question with some context. */
const SMALL_BODY_BYTES = 1024;
/** A prompt of 100 x 4096 BF16 values takes 800 KiB, in base64 1.1 MB. */
const LARGE_BODY_BYTES = 1_100_000;

/** A chat request of 1 KB that wants its answer whole. */
export function smallBody(model: string): string {
  return chatBody({ model, stream: false, max_tokens: 256 }, SMALL_BODY_BYTES);
}

/** A chat request of 1 KB that is answered by `tokens` events. */
export function streamBody(model: string, tokens: number): string {
  return chatBody({ model, stream: true, max_tokens: tokens }, SMALL_BODY_BYTES);
}

/** What the others are given to pass on in place of the embeddings that Preamble puts in: a user's text of that size. */
export function largeBody(model: string): string {
  return chatBody({ model, stream: false, max_tokens: 256 }, LARGE_BODY_BYTES);
}

/** The mock reads the fields before the messages, and no further. */
function chatBody(fields: { model: string; stream: boolean; max_tokens: number }, bytes: number): string {
  const of = (content: string) =>
    JSON.stringify({ ...fields, temperature: 0.7, messages: [{ role: 'user', content }] });
  const sentence = 'Tell me what I should know before I plant tomatoes on a windy balcony. ';
  const room = bytes - of('').length;
  return of(sentence.repeat(Math.ceil(room / sentence.length)).slice(0, room));
}

/** A whole answer as vLLM 0.32 words it, 0.7 KB. */
export function wholeAnswer(): string {
  return JSON.stringify({
    id: 'chatcmpl-9f0c6f0a7f9b4c64a8c1d4b8e5b7a1c2',
    object: 'chat.completion',
    created: 1_790_000_000,
    model: MODEL,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content:
            'Choose a compact variety, give it a deep pot and tie it to a stake. Wind dries the soil, so water in the morning and again in the evening on hot days.',
          refusal: null,
          annotations: null,
          audio: null,
          function_call: null,
          tool_calls: [],
          reasoning: null,
        },
        logprobs: null,
        finish_reason: 'stop',
        stop_reason: null,
        token_ids: null,
      },
    ],
    service_tier: null,
    system_fingerprint: null,
    usage: { prompt_tokens: 240, total_tokens: 275, completion_tokens: 35, prompt_tokens_details: null },
    prompt_logprobs: null,
    prompt_token_ids: null,
    kv_transfer_params: null,
  });
}

const VIRTUAL_TOKEN = /<\|p[0-9a-f]+\.\d+\|>/g;

/**
 * The answer to a gateway's question what a prompt does: the same token whatever was asked, and as many prompt tokens as a server that
 * takes embeddings, or has them grafted, would count.
 */
export function probeAnswer(body: Buffer, rowsOfPrompt: number): string {
  const text = body.toString('latin1');
  const parts = text.split('"type":"prompt_embeds"').length - 1;
  const virtual = text.match(VIRTUAL_TOKEN)?.length ?? 0;
  const choice = {
    index: 0,
    message: { role: 'assistant', content: 'Paris' },
    logprobs: { content: [{ token: 'Paris', logprob: -0.1, bytes: null, top_logprobs: [] }] },
    finish_reason: 'length',
  };
  const prompt_tokens = 20 + parts * rowsOfPrompt + virtual;
  return JSON.stringify({
    id: 'chatcmpl-probe',
    object: 'chat.completion',
    created: 1_790_000_000,
    model: MODEL,
    choices: [choice],
    usage: { prompt_tokens, total_tokens: prompt_tokens + 1, completion_tokens: 1 },
  });
}

export function modelsAnswer(): string {
  const model = { id: MODEL, object: 'model', created: 1_790_000_000, owned_by: 'vllm', root: MODEL, parent: null };
  return JSON.stringify({ object: 'list', data: [{ ...model, max_model_len: 4096, permission: [] }] });
}

/** Server-sent events as vLLM 0.32 words them: the first, one token's, and what ends a stream. */
export function streamEvents(): { opening: string; token: string; closing: string } {
  const event = (delta: object, finish: string | null) => {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finish, token_ids: null };
    const chunk = {
      id: 'chatcmpl-9f0c6f0a7f9b4c64a8c1d4b8e5b7a1c2',
      object: 'chat.completion.chunk',
      created: 1_790_000_000,
      model: MODEL,
      choices: [choice],
    };
    return `data: ${JSON.stringify(chunk)}\n\n`;
  };
  const usage = { prompt_tokens: 240, total_tokens: 740, completion_tokens: 500 };
  const counted = {
    id: 'chatcmpl-9f0c6f0a7f9b4c64a8c1d4b8e5b7a1c2',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
  };
  return {
    opening: event({ role: 'assistant', content: '' }, null),
    token: event({ content: ' tomatoes' }, null),
    closing: `${event({ content: '' }, 'stop')}data: ${JSON.stringify({ ...counted, model: MODEL, choices: [], usage })}\n\ndata: [DONE]\n\n`,
  };
}
