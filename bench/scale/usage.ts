import { readdir, readFile } from 'node:fs/promises';

/** What a process has used so far. */
export interface Usage {
  /** Seconds that its threads ran, to the nanosecond; /proc/PID/stat counts in hundredths. */
  readonly processor: number;
  /** Seconds that they were ready to run and had no core: how busy the machine was. */
  readonly waited: number;
  /** Bytes that it read and wrote, of sockets and files together. */
  readonly read: number;
  readonly written: number;
}

export async function usageOf(pid: number): Promise<Usage> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')));
  const fields = times.map((text) => text.split(' ').map(Number));
  const sum = (field: number) => fields.reduce((total, of) => total + (of[field] ?? 0), 0) / 1e9;
  const io = await readFile(`/proc/${pid}/io`, 'utf8');
  const count = (name: string) => Number(RegExp(`^${name}: (\\d+)$`, 'm').exec(io)?.[1]);
  return { processor: sum(0), waited: sum(1), read: count('rchar'), written: count('wchar') };
}

export function difference(after: Usage, before: Usage): Usage {
  return {
    processor: after.processor - before.processor,
    waited: after.waited - before.waited,
    read: after.read - before.read,
    written: after.written - before.written,
  };
}
