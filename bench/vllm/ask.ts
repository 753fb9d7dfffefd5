export interface AskOptions {
  readonly origin: string;
  readonly model: string;
  /** The number of the first request, from which its question is made. */
  readonly first: number;
  readonly requests: number;
  readonly concurrency: number;
  /** Of each answer. */
  readonly tokens: number;
}

/** Chat completions, so many at a time. Throws Error at the first that fails. */
export async function askAll({ origin, model, first, requests, concurrency, tokens }: AskOptions): Promise<void> {
  let next = first;
  const worker = async () => {
    for (let number = next++; number < first + requests; number = next++) {
      const content = `Number ${number}: what is ${number * 7} plus ${number % 13}, and how do I water a cactus?`;
      const response = await fetch(`${origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          model,
          messages: [{ role: 'user', content }],
          max_tokens: tokens,
          temperature: 0,
          ignore_eos: true,
        }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`The gateway answers with status ${response.status}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
