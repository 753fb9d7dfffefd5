import { PreambleError } from '../errors.ts';

/**
 * Objects and arrays within each other. Far above what chat messages and tool schemas need, far below what overflows the stack of the
 * recursive code behind (JSON.stringify, templates).
 */
export const MAX_JSON_DEPTH = 128;

/** One object or array, or a string, of a JSON value, and how it is reached. */
export interface JsonNode {
  readonly value: string | object;
  /** Property name or index in the parent; '' at the root. */
  readonly key: string | number;
  readonly parent: JsonNode | null;
  /** 1 at the root. */
  readonly depth: number;
}

/** Visits every object, array and string, parents before children, without recursion; time and memory linear in the value's size. */
export function walkJson(root: unknown, visit: (node: JsonNode) => void): void {
  const waiting: JsonNode[] = [];
  const add = (value: unknown, key: string | number, parent: JsonNode | null, depth: number) => {
    if (typeof value === 'string' || (typeof value === 'object' && value !== null))
      waiting.push({ value, key, parent, depth });
  };
  add(root, '', null, 1);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    visit(node);
    const { value, depth } = node;
    if (Array.isArray(value)) for (let i = value.length - 1; i >= 0; i--) add(value[i], i, node, depth + 1);
    else if (typeof value === 'object')
      for (const [key, child] of Object.entries(value).reverse()) add(child, key, node, depth + 1);
  }
}

/** `messages[0].content`, or '' for the root. */
export function pathOf(node: JsonNode): string {
  const keys: (string | number)[] = [];
  for (let at: JsonNode = node; at.parent !== null; at = at.parent) keys.push(at.key);
  return keys
    .reverse()
    .reduce<string>(
      (path, key) => (typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`),
      '',
    );
}

/** Throws PreambleError `invalid_request` if objects and arrays are nested deeper than `maxDepth`. */
export function assertJsonDepth(value: unknown, maxDepth: number = MAX_JSON_DEPTH): void {
  walkJson(value, (node) => {
    if (node.depth <= maxDepth || typeof node.value === 'string') return;
    throw new PreambleError('invalid_request', `The request body is nested deeper than ${maxDepth} levels.`, {
      action: 'Flatten it.',
    });
  });
}
