/** One program with its arguments, as a shell would start it. */
export type Words = readonly string[];

/** Words, quoted ones with their quotes; what stands between commands; a comment. Backslashes within double quotes are not used in the pages. */
const TOKEN = /#.*|'[^']*'|"[^"]*"|\|\||&&|[|;]|\d?[<>]+&?\s*\S+|[^\s'"|;<>]+/gy;

/**
 * The commands in a block of documentation, in their order: a `$ ` in front, comments, redirections, and what others are joined by are
 * taken off, a line that ends in a backslash goes on. Lines that are an answer rather than a command come out as commands too: who
 * calls looks for the program that is meant.
 */
export function commandsOf(block: string): Words[] {
  return block
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .flatMap((line) => commandsOfLine(line.replace(/^\s*\$ /, '')));
}

function commandsOfLine(line: string): Words[] {
  const commands: string[][] = [[]];
  let open = false;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < line.length; at = TOKEN.lastIndex) {
    if (/\s/.test(line[at] ?? '')) {
      TOKEN.lastIndex = at + 1;
      open = false;
      continue;
    }
    TOKEN.lastIndex = at;
    const [token] = TOKEN.exec(line) ?? [];
    // An unpaired quote or the like: an answer, not a command.
    if (token === undefined) return [];
    if (token.startsWith('#') && !open) break;
    if (/^(?:\|\|?|&&|;)$/.test(token)) {
      commands.push([]);
      open = false;
      continue;
    }
    if (/^\d?[<>]/.test(token)) continue;
    const word = /^['"]/.test(token) ? token.slice(1, -1) : token;
    const command = commands.at(-1) ?? [];
    if (open) command.push(`${command.pop() ?? ''}${word}`);
    else command.push(word);
    open = true;
  }
  return commands.filter(({ length }) => length > 0);
}
