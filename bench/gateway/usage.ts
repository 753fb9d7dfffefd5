import { readFile } from 'node:fs/promises';

/** Linux counts processor time in hundredths of seconds, whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100;

/** Processor seconds of all threads of a process so far. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name may hold spaces; what follows it does not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process, MB. */
export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1000;
}

/** Reads a process's memory once a second until it is stopped. */
export function watchMemory(pid: number) {
  const samples: number[] = [];
  const timer = setInterval(async () => samples.push(await residentMegabytes(pid)), 1000);
  return {
    stop(): number[] {
      clearInterval(timer);
      return samples;
    },
  };
}

/**
 * How much more memory at the end of a run than early in it: medians of its last fifth and of its second fifth. The first belongs to
 * the streams that are still beginning, the compiler and the heap's first growth.
 */
export function growth(samples: readonly number[]): { early: number; late: number; share: number } {
  const part = (from: number, to: number) => {
    const some = samples.slice(Math.floor(from * samples.length), Math.ceil(to * samples.length)).sort((a, b) => a - b);
    return some[Math.floor(some.length / 2)] ?? Number.NaN;
  };
  const early = part(0.2, 0.4);
  const late = part(0.8, 1);
  return { early, late, share: late / early - 1 };
}
