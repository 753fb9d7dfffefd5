import { hash } from 'node:crypto';
import type { Test } from 'tap';
import type { Plan } from '../../src/policy/plan.ts';
import { decisionRecord } from '../../src/refusal/decision.ts';
import type { Observations } from '../../src/telemetry/observations.ts';
import type { BuiltProxy } from '../helpers/build-proxy.ts';
import { type FakeVllm, startFakeVllm } from '../helpers/fake-vllm.ts';
import { askFor, logged, REFUSAL, startRolling } from '../rollout/support.ts';

/** What is made up of one request; the rest follows. */
export interface MadeUp {
  readonly model?: string;
  readonly prompt?: string;
  readonly variant?: Plan['variant'];
  readonly tenant?: string;
  readonly refused?: boolean;
  readonly failed?: boolean;
  readonly tokens?: number;
  readonly totalMs?: number;
  readonly gatewayMs?: number;
}

/** Tells of a request as the gateway would, without asking anybody. */
export function tell(observations: Observations, what: MadeUp): void {
  const {
    model = 'chat',
    prompt = 'test/kind@1.0.0',
    tenant = 'web',
    tokens = 120,
    totalMs = 900,
    gatewayMs = 0.6,
  } = what;
  const [name = '', version = ''] = prompt.split('@');
  const softPrompt = {
    label: prompt,
    digest: hash('sha256', prompt),
    tokens: 1,
    hiddenSize: 1,
    values: new Float32Array(1),
    stored: { dtype: 'F32', bytes: new Uint8Array(4) },
  } as const;
  const plan: Plan = {
    model,
    entry: model,
    adapter: null,
    backend: 'vllm',
    tenant,
    mode: 'monitor',
    variant: what.variant ?? 'stable',
    prompt: { name, version, position: 'system', softPrompt },
    fallbackText: null,
  };
  const decision = {
    decision: what.refused ? 'refused' : 'complied',
    detector: 'd@1',
    rule: null,
    atChar: null,
  } as const;
  const times = { firstTokenMs: totalMs / 5, totalMs, gatewayMs };
  const counted = { promptTokens: 20, completionTokens: tokens };
  const outcome = { requestId: 'r', choice: 0, stream: true, finishReason: 'stop', guard: null, ...counted, ...times };
  const record = decisionRecord(plan, decision, outcome);
  observations.requestStarted();
  if (!what.failed) observations.decisionMade({ plan, record, content: null });
  observations.requestFinished({
    requestId: 'r',
    method: 'POST',
    route: '/v1/chat/completions',
    status: what.failed ? 502 : 200,
    result: what.failed ? 'failed' : 'ok',
    fault: what.failed ? 'upstream_unreachable' : null,
    tenant,
    plan,
    answer: what.failed
      ? null
      : {
          stream: true,
          usage: { prompt_tokens: 20, completion_tokens: tokens, total_tokens: 20 + tokens },
          characters: 400,
          decisions: [record],
          contents: null,
          upstreamFirstTokenMs: totalMs / 5,
          ...times,
        },
    totalMs,
  });
}

/** The same numbers in every run. */
function pseudoRandom(): () => number {
  let state = 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** An hour as it may have been: three models, four tenants, an outage, a candidate that refuses more. */
function tellHour(observations: Observations, setClock: (now: number | null) => void): void {
  const random = pseudoRandom();
  const end = Date.now();
  for (let now = end - 3_600_000; now < end - 2_000; now += 1_000) {
    setClock(now);
    const minute = (end - now) / 60_000;
    const load = 2 + Math.sin(minute / 9) + (minute < 12 ? 1 : 0);
    for (let count = 0; count < load + random(); count++) tell(observations, oneOfHour(random, minute));
  }
  setClock(null);
}

/** `minute`: before the hour's end. */
function oneOfHour(random: () => number, minute: number): MadeUp {
  const pick = (items: readonly string[]) => items[Math.floor(random() ** 2 * items.length)] ?? '';
  const model = pick(['chat', 'llama-3-8b', 'code']);
  const canary = model === 'chat' && random() < 0.2 && minute < 30;
  const outage = model === 'llama-3-8b' && minute > 6 && minute < 9;
  const refusals = canary ? 0.11 : model === 'code' ? 0.02 : 0.05;
  return {
    model,
    prompt: model === 'chat' ? `test/kind@${canary ? '1.1.0-rc.1' : '1.0.0'}` : `${model}/careful@2.3.0`,
    variant: canary ? 'canary' : 'stable',
    tenant: pick(['web', 'support', 'batch', 'lab']),
    refused: random() < refusals,
    failed: random() < (outage ? 0.3 : 0.004),
    tokens: Math.round(40 + random() * 300),
    totalMs: (300 + 1500 * random() ** 3) * (outage ? 4 : 1),
    gatewayMs: 0.3 + random() ** 6 * 4,
  };
}

/** A gateway in the middle of its work, with something to see in every part of the dashboard. */
export async function startBusy(t: Test): Promise<BuiltProxy> {
  let told: number | null = null;
  const clock = Date.now;
  // Before the gateway takes it.
  t.capture(Date, 'now', () => told ?? clock());
  const [good, gone, code] = [await startFakeVllm(t), await startFakeVllm(t), await startFakeVllm(t)];
  const model = (...fakes: FakeVllm[]) => ({
    prompt: null,
    onPromptUnavailable: 'refuse',
    backend: { kind: 'vllm', urls: fakes.map(({ origin }) => origin) },
  });
  const models = { 'llama-3-8b': model(good, gone), code: model(code) };
  const { gateways, candidateSays, rollout } = await startRolling(t, { models });
  const [gateway] = gateways;
  if (gateway === undefined) throw new Error('no gateway');
  await gone.stop();
  tellHour(gateway.observations, (now) => {
    told = now;
  });
  const until = ['--until', 'refusal-rate <= 5%', '--until', 'requests >= 1000'];
  await rollout('start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '20%', ...until);
  await logged(gateway, 'rollout.changed');
  for (let key = 0; key < 30; key++) await askFor(gateway, key);
  candidateSays(REFUSAL);
  for (let key = 30; key < 45; key++) await askFor(gateway, key);
  return gateway;
}
