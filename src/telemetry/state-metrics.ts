import { Gauge, type Registry } from 'prom-client';
import type { Gateway } from '../gateway.ts';
import type { PlannedPrompt, PromptVariant } from '../policy/plan.ts';
import type { PromptState } from '../policy/snapshot.ts';
import { version } from '../version.ts';
import { serverLabel } from './request-metrics.ts';

type Sample = readonly [labels: Record<string, string>, value: number];

/** What is asked for when somebody looks: configuration, prompts, models, model servers, Redis. */
export function createStateMetrics(registry: Registry, gateway: Gateway): void {
  const gauge = (name: string, help: string, labelNames: readonly string[], samples: () => Iterable<Sample>) => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        // What is no more, a server or a prompt, is not told of any more.
        this.reset();
        for (const [labels, value] of samples()) this.set(labels, value);
      },
    });
  };
  const models = () => [...gateway.current().policy.models];
  const backends = () => [...gateway.current().backends];
  const servers = (value: (server: { healthy: boolean; outstanding: number; weight: number }) => number) =>
    backends().flatMap(([model, backend]) =>
      backend.servers().map((server): Sample => [{ model, server: serverLabel(server.url) }, value(server)]),
    );
  const engine = (value: (load: { running: number; waiting: number; slots: number }) => number) =>
    backends().flatMap(([model, backend]): Sample[] => {
      const load = backend.queue?.() ?? null;
      return load === null ? [] : [[{ model }, value(load)]];
    });

  gauge('preamble_build_info', 'Which version runs; always 1.', ['version'], () => [[{ version }, 1]]);
  gauge('preamble_config_generation', 'Counts up with each change of settings or prompts.', [], () => [
    [{}, gateway.current().generation],
  ]);
  gauge('preamble_model_up', '1 where requests to this model can be answered.', ['model'], () =>
    backends().map(
      ([model, backend]): Sample => [
        { model },
        Number(backend.problem() === null && !gateway.readiness.isLoading(model)),
      ],
    ),
  );
  gauge(
    'preamble_prompt_available',
    '1 where the configured soft prompt is there; absent without one.',
    ['model'],
    () =>
      models().flatMap(([model, { prompt }]): Sample[] =>
        prompt.kind === 'none' ? [] : [[{ model }, Number(prompt.kind === 'available')]],
      ),
  );
  gauge(
    'preamble_prompt_info',
    'Which soft prompt stands in front, and which is on its way there; always 1.',
    ['model', 'prompt', 'digest', 'variant'],
    () => models().flatMap(([model, { prompt }]) => promptInfo(model, prompt)),
  );
  gauge('preamble_upstream_up', '1 where this model server gets requests.', ['model', 'server'], () =>
    servers(({ healthy }) => Number(healthy)),
  );
  gauge('preamble_upstream_outstanding', 'Requests under way on this model server.', ['model', 'server'], () =>
    servers(({ outstanding }) => outstanding),
  );
  gauge('preamble_upstream_weight', '0 to 1: how much of its share it gets.', ['model', 'server'], () =>
    servers(({ weight }) => weight),
  );
  gauge('preamble_engine_running', 'Answers that the embedded engine computes.', ['model'], () =>
    engine(({ running }) => running),
  );
  gauge('preamble_engine_waiting', 'Requests in the queue of the embedded engine.', ['model'], () =>
    engine(({ waiting }) => waiting),
  );
  gauge('preamble_engine_slots', 'Answers that the embedded engine computes at a time at most.', ['model'], () =>
    engine(({ slots }) => slots),
  );
  // Whether there is one is fixed at start; a gauge without labels would say 0.
  if (gateway.redisState() === null) return;
  gauge('preamble_redis_up', '1 where Redis answers and takes writes; absent where none is configured.', [], () => {
    return [[{}, Number(gateway.redisState()?.status === 'connected')]];
  });
}

function promptInfo(model: string, state: PromptState): Sample[] {
  if (state.kind !== 'available') return [];
  const sample = ({ softPrompt }: PlannedPrompt, variant: PromptVariant): Sample => {
    return [{ model, prompt: softPrompt.label, digest: softPrompt.digest, variant }, 1];
  };
  const stable = sample(state.prompt, 'stable');
  if (state.rollout === undefined) return [stable];
  return [stable, sample(state.rollout.candidate, state.rollout.shadow ? 'shadow' : 'canary')];
}
