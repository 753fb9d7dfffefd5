import { choiceSeed } from '../../engine/sampling/random.ts';
import type { Protocol } from './report.ts';

/** Long enough for what a detector reads and for text to break; the reference asks for 300 on harmful and 200 on harmless queries. */
export const DEFAULT_MAX_TOKENS = 200;
/** The reference draws 25 answers a query at temperature 1 from the nucleus of 0.9 within the 50 likeliest tokens, … */
export const REFERENCE_SAMPLES = 25;
const REFERENCE_SAMPLING = { temperature: 1, topP: 0.9, topK: 50 };
/** … and judges the 20 with the most words. */
const REFERENCE_KEPT = 20;

export interface ProtocolOptions {
  maxTokens: number;
  seed: number;
}

/** The likeliest token always, one answer a query. */
export function greedyProtocol({ maxTokens, seed }: ProtocolOptions): Protocol {
  return { name: 'greedy', temperature: 0, topP: 1, topK: 0, samples: 1, kept: 1, maxTokens, seed };
}

/**
 * The reference's sampling protocol (generate.py and evaluate.py of arXiv 2401.18018's authors). Theirs also forbids an end before the tenth
 * token and some openings of two models; answers here are what the model says by itself.
 */
export function sampledProtocol({ samples, ...options }: ProtocolOptions & { samples: number }): Protocol {
  return { name: 'sampled', ...REFERENCE_SAMPLING, samples, kept: Math.min(REFERENCE_KEPT, samples), ...options };
}

/** The same for every condition: a query's answers differ by their prompt alone. */
export function answerSeed({ seed }: Protocol, query: number, sample: number): number {
  return choiceSeed(choiceSeed(seed, query + 1), sample);
}
