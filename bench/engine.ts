import { availableParallelism } from 'node:os';
import type { WeightPrecision } from '../src/engine/decoder/weights.ts';
import { createEngine } from '../src/engine/engine.ts';
import type { Engine, GenerationRequest, PromptSegment } from '../src/engine/generation.ts';
import { openCache } from '../src/model/obtain/cache.ts';
import { obtainModel } from '../src/model/obtain/obtain.ts';
import { loadTokenizer } from '../src/model/tokenizer/tokenizer.ts';
import { fetchGguf } from './gguf.ts';
import { startLlamaCpp } from './llama-cpp.ts';
import { measureStart } from './start.ts';
import { formatSpread, type Spread, spread } from './statistics.ts';
import { formatTable } from './table.ts';

const ROUNDS = 7;
const QUESTION_TOKENS = 100;
const PROMPT_TOKENS = 100;
const NEW_TOKENS = 96;
const THREADS = Math.min(2, availableParallelism());

interface EngineFigures {
  one: Spread;
  eight: Spread;
  firstPlainMs: Spread;
  firstPromptedMs: Spread;
  firstRatio: Spread;
}

let requests = 0;

/** Time to the first token and to the last, in milliseconds, of `count` requests sent together. */
async function generate(engine: Engine, prompt: readonly PromptSegment[], count: number, newTokens: number) {
  const start = performance.now();
  const ends = await Promise.all(
    Array.from({ length: count }, async () => {
      let first = 0;
      for await (const event of engine.generate(requestFor(prompt, newTokens), new AbortController().signal)) {
        if (event.type === 'text' && first === 0) first = performance.now() - start;
      }
      return { first, last: performance.now() - start };
    }),
  );
  const decoding = Math.max(...ends.map((end) => end.last)) - Math.max(...ends.map((end) => end.first));
  return { firstMs: ends[0]?.first ?? Number.NaN, tokensPerSecond: (1000 * count * (newTokens - 1)) / decoding };
}

function requestFor(prompt: readonly PromptSegment[], maxTokens: number): GenerationRequest {
  requests++;
  return {
    id: `bench-${requests}`,
    prompt,
    maxTokens,
    stop: [],
    ignoreEos: true,
    topLogprobs: null,
    sampling: {
      temperature: 0,
      topP: 1,
      topK: 0,
      minP: 0,
      seed: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      repetitionPenalty: 1,
      logitBias: new Map(),
    },
  };
}

async function measureEngine(engine: Engine, hiddenSize: number, between: () => Promise<void>): Promise<EngineFigures> {
  const question: PromptSegment = {
    tokens: Array.from({ length: QUESTION_TOKENS }, (_, index) => (index * 7919) % 49152),
  };
  const softPrompt: PromptSegment = {
    softPrompt: {
      label: 'bench@1.0.0',
      digest: 'bench',
      tokens: PROMPT_TOKENS,
      hiddenSize,
      values: Float32Array.from({ length: PROMPT_TOKENS * hiddenSize }, (_, index) => Math.sin(index) / 10),
    },
  };
  // The first request under a prompt version computes its keys and values; this is about all the others.
  await generate(engine, [softPrompt, question], 1, 2);
  const rounds: { one: number; eight: number; plain: number; prompted: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { tokensPerSecond: one } = await generate(engine, [question], 1, NEW_TOKENS);
    await between();
    const { tokensPerSecond: eight } = await generate(engine, [question], 8, NEW_TOKENS);
    const plain: number[] = [];
    const prompted: number[] = [];
    for (let pair = 0; pair < 3; pair++) {
      plain.push((await generate(engine, [question], 1, 1)).firstMs);
      prompted.push((await generate(engine, [softPrompt, question], 1, 1)).firstMs);
    }
    rounds.push({ one, eight, plain: spread(plain).median, prompted: spread(prompted).median });
  }
  return {
    one: spread(rounds.map((round) => round.one)),
    eight: spread(rounds.map((round) => round.eight)),
    firstPlainMs: spread(rounds.map((round) => round.plain)),
    firstPromptedMs: spread(rounds.map((round) => round.prompted)),
    firstRatio: spread(rounds.map((round) => round.prompted / round.plain)),
  };
}

export async function run({ json }: { json: boolean }): Promise<void> {
  const { directory } = await obtainModel('smollm2-135m-instruct');
  const tokenizer = await loadTokenizer(directory);
  const peer = startLlamaCpp(await fetchGguf(), THREADS);
  const results: Record<string, unknown> = { threads: THREADS };
  const rows: string[][] = [];
  for (const weights of ['4-bit', '8-bit', 'float32'] satisfies WeightPrecision[]) {
    const engine = await createEngine(
      {
        directory,
        weights,
        cacheDirectory: openCache().root,
        slots: 8,
        queue: 8,
        contextLength: 2048,
        threads: THREADS,
      },
      () => tokenizer.createIncrementalDecoder(),
    );
    const theirs: number[] = [];
    const figures = await measureEngine(engine, 576, async () => {
      theirs.push((await peer.measure(QUESTION_TOKENS, NEW_TOKENS)).tokensPerSecond);
    });
    await engine.close();
    const llamaCpp = spread(theirs);
    const start = await measureStart(weights);
    results[weights] = { ...figures, llamaCpp, ...start };
    rows.push([
      weights,
      formatSpread(figures.one),
      formatSpread(llamaCpp),
      (figures.one.median / llamaCpp.median).toFixed(2),
      formatSpread(figures.eight),
      (figures.eight.median / figures.one.median).toFixed(2),
      `${formatSpread(figures.firstPromptedMs)} / ${formatSpread(figures.firstPlainMs)}`,
      figures.firstRatio.median.toFixed(3),
      start.readyMs.toFixed(0),
      start.residentMb.toFixed(0),
    ]);
  }
  peer.close();
  const headings = [
    'weights',
    'one, tok/s',
    'llama.cpp Q4_1',
    'ratio',
    'eight, tok/s',
    'to one',
    'first token ms, prompt/none',
    'ratio',
    'ready ms',
    'RSS MB',
  ];
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else {
    process.stdout.write(formatTable([headings, ...rows]));
    process.stdout.write(`medians (middle half) of ${ROUNDS} rounds, ${THREADS} threads, both engines alternating\n`);
  }
}
