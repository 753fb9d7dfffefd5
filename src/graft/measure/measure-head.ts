import { PreambleError } from '../../errors.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';
import { conversations, type MeasuringModel } from './conversations.ts';
import { commonDirection, projections } from './direction.ts';
import { lowestLogits } from './lowest-logits.ts';
import { finalStates, type StateInput } from './states.ts';

/** Positions that the margin is measured at, all conditions together. */
export const MEASURED_POSITIONS = 5_000;
/** Of those, as many more as the row is solved from: what is measured has not been seen. */
const SOLVED_SHARE = 0.3;
/**
 * Logits that the row is made to lie below every real token's, at the positions it is solved from. OpenAI's `logit_bias` ends at 100;
 * ten times that leaves room for states that lean less, and stays within what float16 logits can hold.
 */
const WANTED_MARGIN = 1_024;
/** Higher scales would leave what float16 logits can hold. */
const MAX_SCALE = 2_000;

export interface MeasuredPrompt {
  readonly label: string;
  readonly softPrompt: SoftPrompt;
  readonly position: PromptPosition;
}

export interface MeasuredHead {
  /** The row as it will be read. `[hiddenSize]` float32 */
  row: Float32Array;
  scale: number;
  margin: {
    worst: number;
    positions: number;
    states: { prompt: string | null; positions: number; worst: number }[];
  };
}

export interface MeasureOptions {
  queries: readonly string[];
  prompts: readonly MeasuredPrompt[];
  /** The row as a server reads it, once it was stored. */
  stored: (row: Float32Array) => Float32Array;
  /** Rows of the output matrix that are tokens. */
  isReal: (row: number) => boolean;
  positions?: number;
  onProgress?: (done: number, total: number) => void;
}

/**
 * The output row of every virtual token, and by how much its logit stays below every real token's on states of real queries, under each prompt and
 * under none. Throws `model_unsupported` where there is a position at which it does not.
 */
export async function measureHead(
  checkpoint: Checkpoint,
  model: MeasuringModel,
  options: MeasureOptions,
): Promise<MeasuredHead> {
  const { positions = MEASURED_POSITIONS, onProgress = () => {} } = options;
  const conditions = [null, ...options.prompts];
  const wanted = Math.ceil(positions / conditions.length);
  const { layers, hiddenSize } = checkpoint.config;
  const head = checkpoint.tensor(checkpoint.config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight');
  const total = conditions.length * (layers + 1);
  const samples: { prompt: string | null; states: Float32Array; lowest: Float32Array; solvedFrom: number }[] = [];
  for (const [index, prompt] of conditions.entries()) {
    const input = conversations(model, options.queries, prompt?.softPrompt ?? null, prompt?.position ?? 'system');
    const { rows, solvedFrom } = enough(input, wanted, hiddenSize);
    const done = index * (layers + 1);
    const states = await finalStates(checkpoint, { prefix: input.prefix, rows }, (layer) =>
      onProgress(done + layer, total),
    );
    const lowest = await lowestLogits(checkpoint.directory, head, states, options.isReal);
    onProgress(done + layers + 1, total);
    samples.push({ prompt: prompt?.label ?? null, states, lowest, solvedFrom });
  }
  const seen = samples.map(({ states, lowest, solvedFrom }) => ({
    states: states.subarray(0, solvedFrom * hiddenSize),
    lowest: lowest.subarray(0, solvedFrom),
  }));
  const { row, scale } = solve(seen, hiddenSize, options.stored);
  const measured = samples.map(({ prompt, states, lowest, solvedFrom }) => {
    const unseen = { states: states.subarray(solvedFrom * hiddenSize), lowest: lowest.subarray(solvedFrom) };
    return { prompt, positions: unseen.lowest.length, worst: worstMargin(unseen, hiddenSize, row) };
  });
  const worst = Math.min(...measured.map((part) => part.worst));
  if (!(worst > 0)) throw notPositive(worst);
  return {
    row,
    scale,
    margin: { worst, positions: measured.reduce((sum, part) => sum + part.positions, 0), states: measured },
  };
}

/** Whole queries until there are enough positions, evenly from all; the first of them are to solve from. */
function enough(input: StateInput, wanted: number, width: number): { rows: Float32Array[]; solvedFrom: number } {
  // every seventh, then the next of each: neighbours in the file are twins
  const ordered = Array.from({ length: 7 }, (_, offset) =>
    input.rows.filter((_, index) => index % 7 === offset),
  ).flat();
  const rows: Float32Array[] = [];
  let taken = 0;
  let solvedFrom = 0;
  for (const row of ordered) {
    if (taken - solvedFrom >= wanted) break;
    rows.push(row);
    taken += row.length / width;
    if (solvedFrom < wanted * SOLVED_SHARE) solvedFrom = taken;
  }
  return { rows, solvedFrom };
}

interface Sample {
  states: Float32Array;
  lowest: Float32Array;
}

function solve(
  samples: readonly Sample[],
  width: number,
  stored: MeasureOptions['stored'],
): { row: Float32Array; scale: number } {
  const states = new Float32Array(samples.reduce((sum, part) => sum + part.states.length, 0));
  let at = 0;
  for (const part of samples) {
    states.set(part.states, at);
    at += part.states.length;
  }
  const direction = commonDirection(states, width);
  const lowest = samples.flatMap((part) => [...part.lowest]);
  let scale = 1;
  for (const [position, projection] of projections(states, width, direction).entries()) {
    if (projection <= 0) continue;
    scale = Math.max(scale, (WANTED_MARGIN - (lowest[position] ?? 0)) / projection);
  }
  scale = Math.min(scale, MAX_SCALE);
  return { row: stored(Float32Array.from(direction, (value) => -scale * value)), scale };
}

/** The least of: lowest logit of a real token, less the virtual tokens' logit. */
function worstMargin({ states, lowest }: Sample, width: number, row: Float32Array): number {
  return projections(states, width, row).reduce(
    (worst, logit, position) => Math.min(worst, (lowest[position] ?? 0) - logit),
    Number.POSITIVE_INFINITY,
  );
}

function notPositive(worst: number): PreambleError {
  return new PreambleError(
    'model_unsupported',
    `Virtual tokens could be generated: at one position their logit is ${(-worst).toFixed(1)} above the lowest real token's.`,
    {
      action: 'Serve this prompt as embeddings (vLLM) instead; this model has no direction that all its states share.',
    },
  );
}
