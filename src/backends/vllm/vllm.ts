import { setTimeout as sleep } from 'node:timers/promises';
import type { VllmSettings } from '../../config/schema/backend.ts';
import { PreambleError } from '../../errors.ts';
import { assertUniqueNames, objectSpans, rootSpan } from '../../formats/json-spans.ts';
import { splice } from '../../formats/splice.ts';
import type { Plan } from '../../policy/plan.ts';
import { assertPromptFits } from '../../prompts/compatibility.ts';
import type { Backend, Call, RelayedAnswer } from '../backend.ts';
import { modelEdit } from '../upstream/common-edits.ts';
import { isPassing } from '../upstream/errors.ts';
import { createUpstreamPool, type UpstreamPool } from '../upstream/pool.ts';
import type { ServerResponse, UpstreamServer } from '../upstream/server.ts';
import { createWireTextGuard, type WireTextGuard } from '../upstream/text-guard.ts';
import { chatAffinity, completionAffinity } from './affinity.ts';
import { chatFromCompletion } from './chat-from-completion.ts';
import { type Check, checkVersion } from './check.ts';
import { checkPromptOn } from './check-prompt.ts';
import { cleanBody } from './clean-body.ts';
import { discover, findControlTokens } from './discovery.ts';
import type { LocalModel } from './local-model.ts';
import { refuseFields } from './refused-fields.ts';
import { chatWireBody, completionsWireBody, rawCompletionBody, type Target } from './requests.ts';
import type { ServerCall } from './server-json.ts';

export interface VllmBackendOptions {
  readonly settings: VllmSettings;
  /** The servers' API key, where they want one; null where not. */
  readApiKey(): Promise<string | null>;
  /** The model's own files, where the settings name them; begun by the first `ready()`. */
  loadModel(): Promise<LocalModel | null>;
  /** Tells the operator of what changed, in one sentence. */
  onEvent(event: VllmEvent): void;
}

export type VllmEvent =
  | { readonly kind: 'server'; readonly url: string; readonly problem: string | null }
  | { readonly kind: 'waiting'; readonly problem: string }
  | { readonly kind: 'check'; readonly check: Check };

/** What is known once a server has been reached. */
interface Known extends Target {
  readonly guard: WireTextGuard;
}

/** Hands requests on to a pool of vLLM servers, with the soft prompt in front. */
export function createVllmBackend({ settings, readApiKey, loadModel, onEvent }: VllmBackendOptions): Backend {
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
    const served = await discover(server, known?.model ?? settings.model, briefly());
    adapters.set(server.url, served.adapters);
    adapterNames = new Set([...adapters.values()].flat());
  }

  /** The first server that answers tells what is served; until one does, again and again. */
  async function load(): Promise<void> {
    const apiKey = await readApiKey();
    if (apiKey !== null) call = { ...call, headers: { authorization: `Bearer ${apiKey}` } };
    const local = await loadModel();
    known = await patiently(
      () => reach(local),
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

  async function reach(local: LocalModel | null): Promise<Known> {
    const { server, model, contextLength } = await firstReachable(pool, (each) =>
      discover(each, settings.model, briefly()),
    );
    onEvent({ kind: 'check', check: await checkVersion({ server, model, call: briefly() }) });
    const tokens = local?.controlTokens ?? (await findControlTokens(server, model, call));
    return { model, contextLength, local, guard: createWireTextGuard(tokens, settings.controlTokens) };
  }

  function reached(): Known {
    if (known !== null) return known;
    throw new PreambleError('not_ready', 'The model server is not there yet.', {
      action: 'Try again in a moment.',
      retryAfterSeconds: settings.health.intervalSeconds,
    });
  }

  /** The adapter is the model of the plan, where the client asked for one. */
  function reachedFor({ adapter }: Plan): { guard: WireTextGuard; target: Target } {
    const { model, contextLength, local, guard } = reached();
    return { guard, target: { model: adapter ?? model, contextLength, local } };
  }

  async function send(
    path: string,
    body: readonly Uint8Array[],
    from: Pick<Call<unknown>, 'id' | 'signal'> & Partial<Pick<Call<unknown>, 'traceHeaders'>>,
    affinity: string | null,
  ) {
    const headers = { ...from.traceHeaders, ...call.headers, 'content-type': 'application/json', 'x-request-id': from.id };
    return relayed(await pool.send({ method: 'POST', path, headers, body, signal: from.signal }, affinity));
  }

  return {
    kind: 'vllm',
    async chatCompletion(from) {
      const { plan } = from;
      const { guard, target } = reachedFor(plan);
      refuseFields(from.request);
      const clean = cleanBody(from, guard);
      const { request } = clean;
      const affinity = chatAffinity(request.messages);
      if (settings.wire === 'chat') {
        return await send('/v1/chat/completions', chatWireBody(clean, plan, target), from, affinity);
      }
      const answer = await send('/v1/completions', completionsWireBody(clean, plan, target), from, affinity);
      return await chatFromCompletion(answer, {
        model: plan.model,
        includeUsage: request.stream_options?.include_usage === true,
        logprobs: Reflect.get(request, 'logprobs') === true,
      });
    },
    async completion(from) {
      const { guard, target } = reachedFor(from.plan);
      refuseFields(from.request);
      const clean = cleanBody(from, guard);
      const body = rawCompletionBody(clean, from.plan, target);
      return await send('/v1/completions', body, from, completionAffinity(clean.request.prompt));
    },
    async handOn({ id, path, body, adapter, signal }) {
      const { model } = reached();
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      assertUniqueNames(bytes);
      const fields = objectSpans(bytes, rootSpan(bytes));
      return await send(path, splice(bytes, [modelEdit(fields, adapter ?? model)]), { id, signal }, null);
    },
    async ready() {
      loading ??= load();
      await loading;
    },
    async checkPrompt(prompt) {
      const { model, local } = reached();
      const fit = local === null ? 'sameEmbeddings' : assertPromptFits(prompt.manifest, local.identity);
      // One that goes away in between must not end the gateway: it comes back, or another is asked.
      const checks = await patiently(async () => {
        const server = pool.servers.find(({ health }) => health.accepts()) ?? pool.servers[0];
        return server === undefined ? [] : await checkPromptOn({ server, model, call }, settings.wire, local, prompt);
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
