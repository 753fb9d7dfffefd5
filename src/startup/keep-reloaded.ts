import { closeSync, openSync, unwatchFile, watchFile } from 'node:fs';
import { isatty } from 'node:tty';
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import { describe, PreambleError, toError } from '../errors.ts';
import type { LiveGateway } from './live-gateway.ts';

/**
 * How often the file is looked at. Asking for its state by name sees what notifications miss: editors that write a new file and rename it,
 * and the symbolic link that Kubernetes turns to another directory; and it works on network file systems.
 */
const INTERVAL_MS = 500;
/** An editor or a copy writes in several steps; half a file is not worth a line in the log. */
const SETTLE_MS = 250;

export interface ReloadOptions {
  readonly gateway: Pick<LiveGateway, 'reload' | 'current'>;
  readonly file: string;
  /** Reads and checks the settings as a whole. */
  load(): Promise<Config>;
  readonly logger: Logger;
}

/** Reads the settings anew on SIGHUP and when their file changes. Wrong ones are refused with one line in the log, and the old ones stay. */
export function keepReloaded({ gateway, file, load, logger }: ReloadOptions): { stop(): void } {
  let settling: NodeJS.Timeout | undefined;
  let begun = 0;
  // Asked now: of a terminal that is gone, the answer is no.
  const onTerminal = isatty(0) || isatty(2);

  const reload = async () => {
    const mine = ++begun;
    try {
      const config = await load();
      // What was read before another began to read may be older.
      if (mine !== begun) return;
      await gateway.reload(config);
      logger.info({ event: 'config.reloaded', file, generation: gateway.current().generation }, 'settings reloaded');
    } catch (thrown) {
      const error = toError(thrown);
      if (error instanceof PreambleError && error.code === 'cancelled') return;
      const reason = error instanceof PreambleError ? describe(error) : error.message;
      logger.error({ event: 'config.refused', file, reason }, 'settings refused: the old ones stay');
    }
  };
  const onHangup = () => {
    clearTimeout(settling);
    if (onTerminal && terminalIsGone()) {
      process.kill(process.pid, 'SIGTERM');
      return;
    }
    void reload();
  };
  const onChange = () => {
    clearTimeout(settling);
    settling = setTimeout(() => void reload(), SETTLE_MS);
  };
  process.on('SIGHUP', onHangup);
  watchFile(file, { interval: INTERVAL_MS, persistent: false }, onChange);
  return {
    stop() {
      clearTimeout(settling);
      process.off('SIGHUP', onHangup);
      unwatchFile(file, onChange);
    },
  };
}

/** SIGHUP's first meaning: the window was closed. Who tries the gateway there wants it to end with it, and its port to be free. */
function terminalIsGone(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
