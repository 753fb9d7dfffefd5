import type { Rate } from './rate.ts';

interface TwoSided {
  harmfulRefused: Rate;
  harmlessRefused: Rate;
}

/**
 * The settings that no other beats on both sides, with more harmful queries refused and fewer harmless ones; those with fewer harmless ones
 * refused first. Of equal ones, the first.
 */
export function frontierOf<Setting extends TwoSided>(settings: readonly Setting[]): Setting[] {
  const sorted = [...settings].sort(
    (a, b) => a.harmlessRefused.rate - b.harmlessRefused.rate || b.harmfulRefused.rate - a.harmfulRefused.rate,
  );
  let best = Number.NEGATIVE_INFINITY;
  return sorted.filter(({ harmfulRefused }) => {
    if (harmfulRefused.rate <= best) return false;
    best = harmfulRefused.rate;
    return true;
  });
}
