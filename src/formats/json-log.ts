import { open, readFile } from 'node:fs/promises';

/** Entries as they are finished, a line of JSON each: what is there survives whatever ends the process. */
export interface JsonLog<Entry> {
  /** What stood there when it was opened. */
  readonly entries: readonly Entry[];
  append(entry: Entry): Promise<void>;
  close(): Promise<void>;
}

/** Opens `path`, or makes it, and reads what is there. Lines that a crash tore, or that `isEntry` does not know, count as not there. */
export async function openJsonLog<Entry>(
  path: string,
  isEntry: (value: unknown) => value is Entry,
): Promise<JsonLog<Entry>> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const file = await open(path, 'a');
  // What a torn line lacks, so that the next one does not become a part of it.
  if (text !== '' && !text.endsWith('\n')) await file.write('\n');
  return {
    entries: text.split('\n').map(parse).filter(isEntry),
    async append(entry) {
      await file.write(`${JSON.stringify(entry)}\n`);
    },
    close: () => file.close(),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
