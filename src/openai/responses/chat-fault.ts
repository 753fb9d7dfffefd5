import { PreambleError } from '../../errors.ts';

/** Chat fields by the names that a Responses client knows them by. */
const NAMES: Readonly<Record<string, string>> = {
  max_completion_tokens: 'max_output_tokens',
  response_format: 'text.format',
  reasoning_effort: 'reasoning.effort',
};

/** What a backend found wrong with the chat request, in the terms of the request that was translated. Others as they are. */
export function inResponsesTerms(error: unknown): unknown {
  // A server's own words are handed on.
  if (!(error instanceof PreambleError) || error.param === undefined || error.code === 'upstream_error') return error;
  const { code, message, action, param, retryAfterSeconds } = error;
  const name = NAMES[param] ?? (param.startsWith('messages') ? 'input' : null);
  if (name === null) return error;
  return new PreambleError(code, message.replaceAll(`'${param}'`, `'${name}'`), {
    ...(action === undefined ? {} : { action }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    param: name,
    cause: error.cause,
  });
}
