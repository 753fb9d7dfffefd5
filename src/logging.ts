import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { LogSettings } from './config/schema.ts';

/** A system call for each line took a fifth of a request's time. */
const GATHERED_BYTES = 4096;
/** So long a line may wait for others. */
const GATHERING_MS = 100;
/** While a disk is full lines are held, up to so many bytes: some thousand of them. Later ones are lost, and counted. */
const MAX_HELD_BYTES = 2 ** 20;

/** JSON lines on stderr; on a terminal, lines for people. Standard output is left to what a command says. */
export function createLogger(
  settings: LogSettings,
  stream: NodeJS.WriteStream & { fd: number } = process.stderr,
): Logger {
  const options = { level: settings.level, base: null, serializers: { err: pino.stdSerializers.errWithCause } };
  if (!stream.isTTY) {
    const destination = gathering(stream.fd);
    const logger = pino(options, destination);
    outliveFullDisk(destination, logger);
    return logger;
  }
  const colorize = process.env['NO_COLOR'] === undefined;
  return pino(
    options,
    pretty({ colorize, destination: stream.fd, sync: true, ignore: 'pid,hostname', singleLine: true }),
  );
}

type Gathering = ReturnType<typeof gathering>;

/** Writes lines together; when the process ends, however it does short of SIGKILL, none is left behind. */
function gathering(fd: number) {
  const destination = pino.destination({
    dest: fd,
    sync: true,
    minLength: GATHERED_BYTES,
    periodicFlush: GATHERING_MS,
    maxLength: MAX_HELD_BYTES,
  });
  process.once('exit', () => {
    try {
      destination.flushSync();
    } catch {
      // Nobody reads any more.
    }
  });
  return destination;
}

/** A log that can't be written must not end the answers: it is tried again with each flush, and says afterwards how much of it is missing. */
function outliveFullDisk(destination: Gathering, logger: Logger): void {
  let lost = 0;
  // Without a listener the first failed write would be a fault of the whole process.
  destination.on('error', () => {});
  destination.on('drop', () => {
    lost++;
  });
  destination.on('write', () => {
    if (lost === 0) return;
    const lines = lost;
    lost = 0;
    // Not from within a write.
    setImmediate(() =>
      logger.warn({ event: 'log.lost', lines }, 'the log could not be written, and lines are missing'),
    );
  });
}
