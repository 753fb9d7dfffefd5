import type { Writable } from 'node:stream';

/** Where a command writes: results to stdout, everything else to stderr. */
export interface Output {
  stdout: Writable;
  stderr: Writable & { isTTY?: boolean };
}

export const processOutput: Output = { stdout: process.stdout, stderr: process.stderr };

/** The result of a command: with `--json` the value, for programs, else the text, for people. */
export function writeResult(
  json: boolean | undefined,
  value: unknown,
  text: string,
  output: Output = processOutput,
): void {
  output.stdout.write(
    json ? `${JSON.stringify(value, null, 2)}\n` : text === '' || text.endsWith('\n') ? text : `${text}\n`,
  );
}

/** Left-aligned columns, two spaces apart, under a heading; numbers should come as text that is already rounded. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(headings), ...rows.map(line)].map((text) => `${text}\n`).join('');
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Powers of 1000, as disks and downloads are counted: 271170520 is `271 MB`. */
export function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}
