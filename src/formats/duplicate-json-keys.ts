/**
 * The first key that one object of a JSON text holds twice, or null. `JSON.parse` silently keeps the last one, so two readers of the
 * same file could disagree about what it says. `json` must already have been accepted by `JSON.parse`.
 */
export function findDuplicateJsonKey(json: string): string | null {
  const keysOfOpenObjects: Set<string>[] = [];
  let position = 0;
  while (position < json.length) {
    const character = json[position];
    if (character === '{') keysOfOpenObjects.push(new Set());
    else if (character === '}') keysOfOpenObjects.pop();
    if (character !== '"') {
      position++;
      continue;
    }
    const end = endOfString(json, position);
    if (isFollowedByColon(json, end)) {
      const key = String(JSON.parse(json.slice(position, end)));
      const keys = keysOfOpenObjects.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
    position = end;
  }
  return null;
}

/** The position behind the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let position = start + 1;
  while (position < json.length && json[position] !== '"') position += json[position] === '\\' ? 2 : 1;
  return position + 1;
}

function isFollowedByColon(json: string, start: number): boolean {
  let position = start;
  while (position < json.length && ' \t\r\n'.includes(json[position] ?? '')) position++;
  return json[position] === ':';
}
