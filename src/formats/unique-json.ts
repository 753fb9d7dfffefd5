import { findDuplicateJsonKey } from './duplicate-json-keys.ts';
import { quoteName } from './quote-name.ts';

/** `JSON.parse` for a file that must say one thing only. `refuse` makes the error of what is wrong with it: "it is not JSON". */
export function parseUniqueJson(text: string, refuse: (what: string, cause?: unknown) => Error): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw refuse('it is not JSON', error);
  }
  const duplicate = findDuplicateJsonKey(text);
  if (duplicate !== null) throw refuse(`it holds the key ${quoteName(duplicate)} twice`);
  return parsed;
}
