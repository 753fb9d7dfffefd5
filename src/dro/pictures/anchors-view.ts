import { isDrawable } from './picture.ts';
import { explainedVariance, type Line, type PictureDirections, probeLine, projectStates } from './project.ts';

type Label = 'harmful' | 'harmless';

export interface AnchorPanel {
  title: string;
  /** [queries, hiddenSize], row-major. */
  states: ArrayLike<number>;
  /** [queries]: of each query's sampled answers, the share that refused. */
  refusalFractions: ArrayLike<number>;
}

export interface AnchorsPictureData {
  directions: PictureDirections;
  /** What every query is, in the order of the states. */
  labels: readonly Label[];
  /** The first is what the others are compared with: no prompt. */
  panels: readonly AnchorPanel[];
}

export interface AnchorPoint {
  label: Label;
  /** More than half of its answers were refusals. */
  refused: boolean;
  x: number;
  y: number;
}

interface Position {
  x: number;
  y: number;
}

/** What of the anchors is drawn, in the coordinates of the principal components. */
export interface AnchorsView {
  panels: {
    title: string;
    points: AnchorPoint[];
    /** From where the label's queries are on average in the first panel to where they are in this one. */
    moves: { label: Label; from: Position; to: Position }[];
  }[];
  boundaries: { refusal: Line; harmfulness: Line };
  /** Of the first two components: the share of the states' variance that lies along each. NaN where that is not known. */
  variance: [number, number];
}

export const anchorGroups: readonly { label: Label; refused: boolean }[] = [
  { label: 'harmful', refused: true },
  { label: 'harmful', refused: false },
  { label: 'harmless', refused: true },
  { label: 'harmless', refused: false },
];

export function viewAnchors({ directions, labels, panels }: AnchorsPictureData): AnchorsView {
  const dimensions = Math.max(2, directions.refusal.weights.length, directions.harmfulness.weights.length);
  const projected = panels.map(({ states }) => projectStates(directions, states, dimensions));
  const drawn = projected.map((rows) => rows.filter((row) => isDrawable(...row)));
  const centre = meanRow(drawn.flat(), dimensions);
  const positions = panels.map(({ refusalFractions }, panel) =>
    (projected[panel] ?? []).flatMap((row, query) => {
      const [label, [x = 0, y = 0]] = [labels[query], row];
      if (label === undefined || !isDrawable(...row)) return [];
      return [{ label, refused: (refusalFractions[query] ?? 0) > 0.5, x, y }];
    }),
  );
  const variance = explainedVariance(
    directions,
    panels.map(({ states }) => states),
    projected.flat(),
  );
  return {
    panels: panels.map(({ title }, index) => ({
      title,
      points: positions[index] ?? [],
      moves: index === 0 ? [] : movesBetween(positions[0] ?? [], positions[index] ?? []),
    })),
    boundaries: {
      refusal: probeLine(directions.refusal, centre),
      harmfulness: probeLine(directions.harmfulness, centre),
    },
    variance: [variance[0] ?? Number.NaN, variance[1] ?? Number.NaN],
  };
}

export function movesBetween(before: readonly AnchorPoint[], after: readonly AnchorPoint[]) {
  return (['harmful', 'harmless'] as const).flatMap((label) => {
    const [from, to] = [middle(before, label), middle(after, label)];
    return from === null || to === null ? [] : [{ label, from, to }];
  });
}

function middle(points: readonly AnchorPoint[], label: Label): Position | null {
  const own = points.filter((point) => point.label === label);
  if (own.length === 0) return null;
  const [x = 0, y = 0] = meanRow(
    own.map((point) => [point.x, point.y]),
    2,
  );
  return { x, y };
}

function meanRow(rows: readonly (readonly number[])[], columns: number): number[] {
  return Array.from(
    { length: columns },
    (_, column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0) / Math.max(1, rows.length),
  );
}
