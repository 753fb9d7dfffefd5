import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { LogSettings } from './config/schema.ts';
import { gatherLines } from './logs/gathered-lines.ts';

/** JSON lines on stderr; on a terminal, lines for people. Standard output is left to what a command says. */
export function createLogger(
  settings: LogSettings,
  stream: NodeJS.WriteStream & { fd: number } = process.stderr,
): Logger {
  const options = { level: settings.level, base: null, serializers: { err: pino.stdSerializers.errWithCause } };
  if (!stream.isTTY) {
    const tellLost = (lines: number) =>
      logger.warn({ event: 'log.lost', lines }, 'lines of the log could not be written');
    const logger: Logger = pino(options, gatherLines(stream.fd, tellLost));
    return logger;
  }
  const colorize = process.env['NO_COLOR'] === undefined;
  return pino(
    options,
    pretty({ colorize, destination: stream.fd, sync: true, ignore: 'pid,hostname', singleLine: true }),
  );
}
