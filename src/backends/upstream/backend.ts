import { setTimeout as sleep } from 'node:timers/promises';
import type { UpstreamSettings } from '../../config/schema/backend.ts';
import { PreambleError } from '../../errors.ts';
import { objectSpans, rootSpan } from '../../formats/json-spans.ts';
import { splice } from '../../formats/splice.ts';
import type { Plan } from '../../policy/plan.ts';
import type { Backend, Call, RelayedAnswer } from '../backend.ts';
import { chatAffinity, completionAffinity } from './affinity.ts';
import type { Check } from './check.ts';
import { cleanBody } from './clean-body.ts';
import { modelEdit } from './common-edits.ts';
import type { Dialect, RelayedRequest, Target, Wire } from './dialect.ts';
import { isPassing } from './errors.ts';
import { createUpstreamPool, type UpstreamPool } from './pool.ts';
import type { ServerResponse, UpstreamServer } from './server.ts';
import type { ServerCall } from './server-json.ts';
import { createWireTextGuard, joinGuards, type WireTextGuard } from './text-guard.ts';

export interface UpstreamBackendOptions {
  readonly settings: UpstreamSettings;
  readonly dialect: Dialect;
  /** The servers' API key, where they want one; null where not. */
  readApiKey(): Promise<string | null>;
  /** With the files that the settings name; begun by the first `ready()`. */
  loadWire(): Promise<Wire>;
  /** Tells the operator of what changed, in one sentence. */
  onEvent(event: UpstreamEvent): void;
}

export type UpstreamEvent =
  | { readonly kind: 'server'; readonly url: string; readonly problem: string | null }
  | { readonly kind: 'waiting'; readonly problem: string }
  | { readonly kind: 'check'; readonly check: Check };

/** What is known once a server has been reached. */
interface Known extends Target {
  readonly wire: Wire;
  readonly guard: WireTextGuard;
}

const NOTHING_TO_CLEAN: WireTextGuard = { clean: () => null };

/** Hands requests on to a pool of model servers of one kind, with the soft prompt in front. */
export function createUpstreamBackend(options: UpstreamBackendOptions): Backend {
  const { settings, dialect, onEvent } = options;
  const closing = new AbortController();
  /** What every question of the gateway's own carries; the key from when it has been read. */
  let call: ServerCall = { headers: {}, signal: closing.signal };
  const adapters = new Map<string, readonly string[]>();
  const pool = createUpstreamPool({
    settings,
    probe,
    onChange: (url, problem) => onEvent({ kind: 'server', url, problem }),
  });
  let known: Known | null = null;
  let loading: Promise<void> | null = null;
  let waitingFor = 'No model server has been reached yet.';
  let adapterNames: ReadonlySet<string> = new Set();

  /** Lists and versions come at once; a server that hangs must not keep the others from being asked. */
  function briefly(): ServerCall {
    const timeout = AbortSignal.timeout(settings.health.intervalSeconds * 1000);
    return { ...call, signal: AbortSignal.any([closing.signal, timeout]) };
  }

  async function probe(server: UpstreamServer): Promise<void> {
    // All replicas serve the one that the first told of.
    const served = await dialect.discover(server, known?.model ?? settings.model ?? null, briefly());
    adapters.set(server.url, served.adapters);
    adapterNames = new Set([...adapters.values()].flat());
  }

  async function renewKey(): Promise<void> {
    const apiKey = await options.readApiKey();
    if (apiKey !== null) call = { ...call, headers: { authorization: `Bearer ${apiKey}` } };
  }

  /** The first server that answers tells what is served; until one does, again and again. */
  async function load(): Promise<void> {
    await renewKey();
    const wire = await options.loadWire();
    known = await patiently(
      () => reach(wire),
      () => true,
    );
    await pool.probeAll();
    pool.watch();
  }

  /** Asks again and again, for as long as what went wrong may pass. */
  async function patiently<Found>(ask: () => Promise<Found>, mayPass: (error: PreambleError) => boolean) {
    while (true) {
      try {
        return await ask();
      } catch (error) {
        closing.signal.throwIfAborted();
        if (!(error instanceof PreambleError && mayPass(error))) throw error;
        if (waitingFor !== error.message) onEvent({ kind: 'waiting', problem: error.message });
        waitingFor = error.message;
        await sleep(settings.health.intervalSeconds * 1000, undefined, { signal: closing.signal });
      }
    }
  }

  async function reach(wire: Wire): Promise<Known> {
    const { server, model, contextLength } = await firstReachable(pool, (each) =>
      dialect.discover(each, settings.model ?? null, briefly()),
    );
    onEvent({ kind: 'check', check: await dialect.checkVersion({ server, model, call: briefly() }) });
    const tokens = wire.local?.controlTokens ?? (await dialect.findControlTokens(server, model, call));
    const control = createWireTextGuard(tokens, settings.controlTokens, dialect.readFields);
    const guard = wire.guard === null ? control : joinGuards(wire.guard, control);
    return { model, contextLength, dialect, wire, guard };
  }

  function reached(): Known {
    if (known !== null) return known;
    throw new PreambleError('not_ready', 'The model server is not there yet.', {
      action: 'Try again in a moment.',
      retryAfterSeconds: settings.health.intervalSeconds,
    });
  }

  /** The adapter is the model of the plan, where the client asked for one. */
  function reachedFor({ adapter }: Plan): Known {
    const all = reached();
    return adapter === null ? all : { ...all, model: adapter };
  }

  async function send(
    { path, body }: Pick<RelayedRequest, 'body'> & { readonly path: string },
    from: Pick<Call<unknown>, 'id' | 'signal'> & Partial<Pick<Call<unknown>, 'traceHeaders'>>,
    affinity: string | null,
  ): Promise<RelayedAnswer> {
    const headers = {
      ...from.traceHeaders,
      ...call.headers,
      'content-type': 'application/json',
      'x-request-id': from.id,
    };
    return relayed(await pool.send({ method: 'POST', path, headers, body, signal: from.signal }, affinity));
  }

  return {
    kind: dialect.kind,
    async chatCompletion(from) {
      const { wire, guard, ...target } = reachedFor(from.plan);
      dialect.refuse(from.request, 'chat');
      const clean = cleanBody(from, guard);
      const request = wire.chat(clean, from.plan, target);
      const answer = await send(request, from, chatAffinity(clean.request.messages));
      return await request.read(dialect.readAnswer(answer, 'chat'));
    },
    async completion(from) {
      const { wire, guard, ...target } = reachedFor(from.plan);
      dialect.refuse(from.request, 'completion');
      const clean = cleanBody(from, guard);
      const answer = await send(
        wire.completion(clean, from.plan, target),
        from,
        completionAffinity(clean.request.prompt),
      );
      return dialect.readAnswer(answer, 'completion');
    },
    async handOn({ id, path, adapter, signal, ...from }) {
      const { model, wire } = reached();
      const { bytes } = cleanBody(from, wire.handedOnGuard ?? NOTHING_TO_CLEAN);
      const fields = objectSpans(bytes, rootSpan(bytes));
      const named = splice(bytes, [modelEdit(fields, adapter ?? model)]);
      return await send({ path, body: named }, { id, signal }, null);
    },
    renewKey,
    async ready() {
      loading ??= load();
      await loading;
    },
    async checkPrompt(prompt) {
      const { model, wire } = reached();
      const fit = wire.assertFits(prompt);
      // One that goes away in between must not end the gateway: it comes back, or another is asked.
      const checks = await patiently(async () => {
        const server = pool.servers.find(({ health }) => health.accepts()) ?? pool.servers[0];
        return server === undefined ? [] : await wire.check({ server, model, call }, prompt);
      }, isPassing);
      for (const check of checks) {
        if (check.outcome !== 'failed') continue;
        throw new PreambleError(
          'prompt_mismatch',
          check.finding,
          check.action === null ? {} : { action: check.action },
        );
      }
      return fit;
    },
    servers: () => pool.status(),
    adapters: () => adapterNames,
    problem() {
      if (known === null) return waitingFor;
      const servers = pool.status();
      return servers.some(({ healthy }) => healthy) ? null : (servers[0]?.problem ?? 'There is no server.');
    },
    async close() {
      closing.abort(new PreambleError('shutting_down', 'The gateway is shutting down.'));
      await loading?.catch(() => undefined);
      await pool.close();
    },
  };
}

function relayed({ status, headers, contentType, body }: ServerResponse): RelayedAnswer {
  return { kind: 'relayed', status, headers, events: contentType.startsWith('text/event-stream'), body };
}

/** Asks server by server. Throws what the last one threw. */
async function firstReachable<Found extends object>(
  pool: UpstreamPool,
  ask: (server: UpstreamServer) => Promise<Found>,
): Promise<Found & { server: UpstreamServer }> {
  let last: unknown = new PreambleError('upstream_unreachable', 'There is no model server.');
  for (const server of pool.servers) {
    try {
      return { ...(await ask(server)), server };
    } catch (error) {
      last = error;
    }
  }
  throw last;
}
