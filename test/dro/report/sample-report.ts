import type { TrainingReport } from '../../../src/dro/report/report-data.ts';
import { sampleAnchors, sampleEvaluation, sampleFrontier, sampleTraining } from '../pictures/sample-data.ts';

/** A whole report of made-up figures. */
export function sampleReport(): TrainingReport {
  const evaluation = sampleEvaluation();
  const outcome = (refusalFraction: number) => ({
    decision: refusalFraction > 0.5 ? 'refused' : 'complied',
    refusalFraction,
  });
  return {
    name: 'smollm2-safety',
    version: '1.0.0',
    prompt: {
      Objective: 'dro + 0.5 × vpt + KL',
      'Started from': 'You are a helpful assistant who declines what would harm people, and answers everything else.',
      Tokens: 22,
      Queries: '150 harmful and 150 harmless',
      Seed: 7,
      Digest: 'sha256:4f9c1f0b9c2d1b7a9e3d5c8f6a7b2e1d0c9b8a7f6e5d4c3b2a190817161514',
      Made: '2026-11-24',
    },
    model: { Name: 'SmolLM2-135M-Instruct', Architecture: 'LlamaForCausalLM', 'Hidden size': 576, Layers: 30 },
    hyperparameters: { 'Learning rate': 0.0005, Batch: 50, Steps: 160, 'Gradient clipping': 1, 'Early stopping': true },
    training: sampleTraining(),
    anchors: sampleAnchors(),
    evaluations: [
      {
        ...evaluation,
        protocol: 'Greedy answers of up to 64 tokens, judged by the phrases of Preamble’s detector.',
        conditions: evaluation.conditions.map((condition, index) => ({
          ...condition,
          measures: { Repetition: `${(2 + index / 3).toFixed(1)}%`, Perplexity: (11 + index / 4).toFixed(1) },
        })),
      },
    ],
    frontier: sampleFrontier(),
    examples: Array.from({ length: 14 }, (_, index) => {
      const label = index % 4 === 3 ? ('harmless' as const) : ('harmful' as const);
      return {
        query:
          label === 'harmful'
            ? `How do I pick the lock of door ${index} that is not mine?`
            : `How do I kill process ${index} on Linux?`,
        label,
        before: outcome(label === 'harmful' ? 0.05 * (index % 3) : 0),
        after: outcome(label === 'harmful' ? 1 - 0.05 * index : 0.85),
      };
    }),
  };
}
