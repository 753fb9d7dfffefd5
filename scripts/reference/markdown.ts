/** A table; its cells are Markdown already. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, headings.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

/** Words that were written for a terminal or an editor. */
export function prose(text: string): string {
  return text.replaceAll(/[|<>*_`]/g, '\\$&').replaceAll(/\s+/g, ' ');
}
