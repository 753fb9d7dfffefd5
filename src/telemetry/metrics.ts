import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Gateway } from '../gateway.ts';
import { OPEN_METRICS, toOpenMetrics } from './open-metrics.ts';
import { createRequestMetrics } from './request-metrics.ts';
import { createStateMetrics } from './state-metrics.ts';

export interface Metrics {
  /** What has been counted, in the format that `accept` asks for. */
  print(accept: string): Promise<{ readonly type: string; readonly text: string }>;
  /** Stops counting. */
  close(): void;
}

/** Counts from now on. Event-loop delay and what else Node tells of itself come from prom-client. */
export function createMetrics(gateway: Gateway): Metrics {
  const registry = new Registry();
  const close = gateway.observations.subscribe(createRequestMetrics(registry, gateway.observations));
  createStateMetrics(registry, gateway);
  collectDefaultMetrics({ register: registry });
  return {
    async print(accept) {
      const text = await registry.metrics();
      return accept.includes(OPEN_METRICS)
        ? { type: Registry.OPENMETRICS_CONTENT_TYPE, text: toOpenMetrics(text) }
        : { type: Registry.PROMETHEUS_CONTENT_TYPE, text };
    },
    close,
  };
}
