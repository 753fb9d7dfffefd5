import { writeSync } from 'node:fs';

/** A system call for each line took a fifth of a request's time. */
const GATHERED_BYTES = 4096;
/** So long a line may wait for others, and a log that could not be written for the next attempt. */
const GATHERING_MS = 100;
/** While a log can't be written lines are held, up to so many characters: some thousand lines. Later ones are lost, and counted. */
const MAX_HELD = 2 ** 20;
/** How long the end of a process may wait for a reader that is slow; a disk that is full is not waited for. */
const LAST_WORDS_MS = 1_000;
const LAST_LOOK_MS = 10;

export interface GatheredLines {
  write(line: string): void;
  flushSync(): void;
}

/**
 * Writes lines together, and holds them while that can't be done: a full disk or a reader that is slow ends no answer and keeps none waiting.
 * When the process ends, however it does short of SIGKILL, none is left behind that could be written. `onLost` hears how many could not.
 * pino's own destination tries for ever as the process ends, and waits in between with the whole process.
 */
export function gatherLines(fd: number, onLost: (lines: number) => void): GatheredLines {
  let waiting: string[] = [];
  let held = 0;
  /** Bytes that a write has left; they may begin within a line. */
  let rest: Buffer = Buffer.alloc(0);
  let failure: unknown = null;
  let lost = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length > 0) rest = Buffer.concat([rest, Buffer.from(waiting.join(''))]);
    waiting = [];
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
      held = 0;
      failure = null;
    } catch (error) {
      held = rest.length;
      failure = codeOf(error);
      later();
      return;
    }
    const lines = lost;
    lost = 0;
    if (lines > 0) onLost(lines);
  }

  function later(): void {
    timer ??= setTimeout(flush, GATHERING_MS).unref();
  }

  process.once('exit', () => {
    flush();
    const deadline = performance.now() + LAST_WORDS_MS;
    while (failure === 'EAGAIN' && performance.now() < deadline) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_LOOK_MS);
      flush();
    }
  });

  return {
    write(line) {
      if (held + line.length > MAX_HELD) {
        lost++;
        return;
      }
      waiting.push(line);
      held += line.length;
      if (held >= GATHERED_BYTES && failure === null) flush();
      else later();
    },
    flushSync: flush,
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : 'unknown';
}
