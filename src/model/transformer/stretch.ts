import type { GraphBuilder } from '../../graph/builder.ts';
import type { Tensor } from '../../graph/tensor.ts';
import type { ModelConfig } from '../config.ts';
import { attentionMask } from './masks.ts';
import { createRotation, type RotationTables } from './rotation.ts';

/** Consecutive positions of a sequence. */
export interface Span {
  first: number;
  tokens: number;
}

/** Rows of tokens that pass the layers together, all at the same positions; activations are `[rows · tokens, width]`. */
export interface Stretch {
  readonly rows: number;
  readonly tokens: number;
  /** RoPE on projected heads `[rows · tokens, heads · headDim]`. */
  rotate(x: Tensor): Tensor;
  /** Additive mask over the keys of a span, broadcasting to `[kvHeads, rows, groups · tokens, keys]`; null if all are visible. */
  mask(window: number | null, keys: Span): Tensor | null;
  /** The rows of an activation that belong to this stretch: itself, or the chosen positions of a longer one. */
  select(x: Tensor): Tensor;
}

export interface StretchContext {
  graph: GraphBuilder;
  config: ModelConfig;
  tables: RotationTables;
}

/** `rows` rows at the positions of `span`. */
export function wholeStretch(context: StretchContext, rows: number, span: Span): Stretch {
  const { graph, config, tables } = context;
  const groups = config.heads / config.kvHeads;
  const { first, tokens } = span;
  const positions = Array.from({ length: rows * tokens }, (_, index) => first + (index % tokens));
  return {
    rows,
    tokens,
    rotate: createRotation(graph, config, tables, graph.constant(positions, [rows, tokens], 'int64')),
    mask: remembered((window, keys) => {
      const mask = attentionMask({
        firstQuery: first,
        firstKey: keys.first,
        queries: tokens,
        keys: keys.tokens,
        window,
      });
      if (mask === null) return null;
      // the heads that share a key head stand one after the other, each with the same mask
      const repeated = new Float64Array(groups * mask.length);
      for (let group = 0; group < groups; group++) repeated.set(mask, group * mask.length);
      return graph.constant(repeated, [groups * tokens, keys.tokens], tables.cos.dtype);
    }),
    select: (x) => x,
  };
}

/** One position a row: `lastIndices` `[rows]` int64 counts within the span. What comes after it in its row is padding. */
export function lastOfRows(context: StretchContext, rows: number, span: Span, lastIndices: Tensor): Stretch {
  const { graph, config, tables } = context;
  const rowStarts = Array.from({ length: rows }, (_, row) => row * span.tokens);
  const flatIndices = graph.add(lastIndices, graph.constant(rowStarts, [rows], 'int64'));
  const positions = graph.add(lastIndices, graph.constant([span.first], [1], 'int64'));
  return {
    rows,
    tokens: 1,
    rotate: createRotation(graph, config, tables, graph.reshape(positions, [rows, 1])),
    mask: remembered((window, keys) => {
      const mask = attentionMask({
        firstQuery: span.first,
        firstKey: keys.first,
        queries: span.tokens,
        keys: keys.tokens,
        window,
      });
      if (mask === null) return null;
      const all = graph.constant(mask, [span.tokens, keys.tokens], tables.cos.dtype);
      return graph.reshape(graph.gather(all, lastIndices, 0), [1, rows, 1, keys.tokens]);
    }),
    select: (x) => graph.gather(x, flatIndices, 0),
  };
}

/** All layers with the same window share one mask. */
function remembered(make: Stretch['mask']): Stretch['mask'] {
  const known = new Map<string, Tensor | null>();
  return (window, keys) => {
    const key = `${window} ${keys.first} ${keys.tokens}`;
    const mask = known.get(key);
    if (mask !== undefined) return mask;
    const made = make(window, keys);
    known.set(key, made);
    return made;
  };
}
