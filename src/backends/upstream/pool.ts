import type { UpstreamSettings } from '../../config/schema/backend.ts';
import { PreambleError } from '../../errors.ts';
import type { ServerStatus } from '../backend.ts';
import { chooseServer } from './choose.ts';
import { isRetryable } from './errors.ts';
import { createUpstreamServer, type ServerRequest, type ServerResponse, type UpstreamServer } from './server.ts';

export interface PoolOptions {
  readonly settings: Pick<UpstreamSettings, 'urls' | 'retries' | 'connections' | 'timeouts' | 'health'>;
  /** Asks one server whether it is well. Throws PreambleError when it is not. */
  probe(server: UpstreamServer): Promise<void>;
  /** A server began or ceased to get requests; `problem` is null when it began. */
  onChange(url: string, problem: string | null): void;
}

/** The replicas of one model. */
export interface UpstreamPool {
  readonly servers: readonly UpstreamServer[];
  /**
   * Sends a request to the server of its conversation, or the one with the least to do; where that one is not there, and nothing of an
   * answer has come, to another. `affinity` tells conversations apart; null for none. Throws what the last one tried threw.
   */
  send(request: ServerRequest, affinity: string | null): Promise<ServerResponse>;
  status(): ServerStatus[];
  /** Probes every server now. */
  probeAll(): Promise<void>;
  /** Probes them from time to time until closed. */
  watch(): void;
  close(): Promise<void>;
}

export function createUpstreamPool({ settings, probe, onChange }: PoolOptions): UpstreamPool {
  const servers = settings.urls.map((url) => createUpstreamServer(url, settings));
  const accepted = new Map(servers.map((server) => [server, true]));
  let timer: NodeJS.Timeout | undefined;

  /** Tells of servers whose state is another than when last looked at. */
  function noteChanges(): void {
    for (const server of servers) {
      const accepts = server.health.accepts();
      if (accepts === accepted.get(server)) continue;
      accepted.set(server, accepts);
      onChange(server.url, accepts ? null : server.health.problem());
    }
  }

  function choose(tried: readonly UpstreamServer[], affinity: string | null): UpstreamServer | null {
    const left = servers.filter((server) => !tried.includes(server));
    const well = left.filter((server) => server.health.accepts());
    const now = performance.now();
    // When none is well the probes may be what is wrong: trying costs little, refusing costs the answer.
    const candidates = (well.length > 0 ? well : left).map((server) => ({ ...server.candidate(now), server }));
    return chooseServer(candidates, affinity)?.server ?? null;
  }

  async function probeOne(server: UpstreamServer): Promise<void> {
    try {
      await probe(server);
      server.health.probed(performance.now());
    } catch (error) {
      const reason = error instanceof PreambleError ? error.message : 'The probe failed.';
      server.health.probeFailed(reason, performance.now());
    }
  }

  const probeAll = async () => {
    await Promise.all(servers.map(probeOne));
    noteChanges();
  };

  return {
    servers,
    async send(request, affinity) {
      const tried: UpstreamServer[] = [];
      for (let server = choose(tried, affinity); server !== null; server = choose(tried, affinity)) {
        tried.push(server);
        try {
          // Where there are others, those are tried.
          return await (servers.length === 1 ? server.sendAgainIfStale(request) : server.send(request));
        } catch (error) {
          noteChanges();
          const again = error instanceof PreambleError && isRetryable(error) && !request.signal.aborted;
          if (!again || tried.length > settings.retries || tried.length === servers.length) throw error;
        }
      }
      throw new PreambleError('upstream_unreachable', 'There is no model server.', { action: 'Try again.' });
    },
    status() {
      const now = performance.now();
      return servers.map((server) => {
        const { outstanding, weight } = server.candidate(now);
        const { health, url } = server;
        return { url, healthy: health.accepts(), outstanding, weight, problem: health.problem() };
      });
    },
    probeAll,
    watch() {
      timer ??= setInterval(() => void probeAll(), settings.health.intervalSeconds * 1000);
      timer.unref();
    },
    async close() {
      clearInterval(timer);
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
