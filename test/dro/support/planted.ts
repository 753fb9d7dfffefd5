import type { AnchorStates } from '../../../src/dro/directions/check-anchors.ts';
import { randomValues } from '../../graph/support/gradients.ts';

export interface PlantedOptions {
  hiddenSize?: number;
  /** Half of them harmful. */
  queries?: number;
  sets?: number;
  /** Of a query, from what its state and its set give: 0 to 1. */
  fraction?: (drawn: { refusal: number; harmful: boolean; set: number }) => number;
}

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

/**
 * Anchor states in which axis 0 tells harmful from harmless queries, axis 1 what is refused, axes 2 and 3 vary for no reason, and the others
 * hardly do. Each set is moved along axis 1.
 */
export function plantedAnchors(options: PlantedOptions = {}): AnchorStates {
  const { hiddenSize = 12, queries = 40, sets = 3, fraction = ({ refusal }) => sigmoid(2 * refusal) } = options;
  const harmful = Array.from({ length: queries }, (_, index) => index % 2 === 0);
  return {
    hiddenSize,
    harmful,
    sets: Array.from({ length: sets }, (_, set) => {
      const noise = randomValues(queries * hiddenSize, 10 + set, -1, 1);
      const states = new Float32Array(queries * hiddenSize);
      const refusalFractions = harmful.map((isHarmful, query) => {
        const drawn = noise.subarray(query * hiddenSize, (query + 1) * hiddenSize);
        const refusal = 2.5 * (drawn[1] ?? 0) + 0.5 * (set - 1);
        const values = drawn.map((value, at) => (at < 4 ? 1.5 * value : 0.05 * value));
        values[0] = (isHarmful ? 3 : -3) + (drawn[0] ?? 0);
        values[1] = refusal;
        states.set(
          values.map((value) => value + 10),
          query * hiddenSize,
        );
        return fraction({ refusal, harmful: isHarmful, set });
      });
      return { states, refusalFractions: Float32Array.from(refusalFractions) };
    }),
  };
}
