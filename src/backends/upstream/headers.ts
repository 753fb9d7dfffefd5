/** What a client may see of a model server's headers. All else is about the connection (RFC 9110, 7.6.1), or about the server. */
const PASSED = new Set(['content-type', 'retry-after', 'retry-after-ms', 'x-should-retry', 'openai-model']);
const PASSED_PREFIXES = ['x-ratelimit-'];

export type HeaderValues = Readonly<Record<string, string | string[] | undefined>>;

/** The headers of a model server's answer that go on to the client, names in lower case. */
export function passedHeaders(headers: HeaderValues): Record<string, string | string[]> {
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (value === undefined) continue;
    if (PASSED.has(lower) || PASSED_PREFIXES.some((prefix) => lower.startsWith(prefix))) passed[lower] = value;
    // Ours is on the answer already; where the server made up its own, that one finds it in its log.
    if (lower === 'x-request-id') passed['x-upstream-request-id'] = value;
  }
  return passed;
}

export function firstValue(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
