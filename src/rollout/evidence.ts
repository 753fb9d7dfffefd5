/**
 * How strongly the counts say that the candidate is worse. Assignment is a draw of our own making, so under "the candidate makes no difference" each
 * event (a refusal, say) is the candidate's with the known probability `share`, whatever the rate of events is and however it drifts over the day.
 * For each ratio of rates r we bet that it is q(r) = share r / (share r + 1 - share) instead. The bets' mean
 *
 *   e = Σ_r w_r Π_events (q(r) / q₀  if it is the candidate's, else (1 - q(r)) / (1 - q₀))
 *
 * is a supermartingale that starts at 1 while the true ratio is at most that of q₀, so by Ville's inequality it ever reaches 1/α with probability at most α: it may be
 * looked at after every request, and stopped at any time. This is the count-conditional mixture test of Lindon and Malek, "Anytime-Valid Inference
 * For Multinomial Count Data" (NeurIPS 2022, arXiv 2011.03567), with a mixture of points in the place of a Dirichlet prior, so that it is
 * one-sided and can be multiplied over shares; the mixture itself is Robbins' (1970).
 */

/** A tenth more is not "clearly worse", and is not held against a candidate however many requests there are. */
const TOLERATED_RATIO = 1.1;
/** What is bet on: from half as much again to ten times. */
const RATIOS = [1.3, 1.6, 2, 3, 5, 10] as const;

/** While one share holds. */
export interface EventCounts {
  /** The probability that an event is the candidate's where it makes no difference. */
  readonly share: number;
  readonly candidate: number;
  readonly stable: number;
}

/** The natural logarithm of e. */
export function logEvidence(periods: readonly EventCounts[]): number {
  const logs = RATIOS.map((ratio) => {
    let log = 0;
    for (const { share, candidate, stable } of periods) {
      const bet = oddsToShare(share, ratio);
      const null_ = oddsToShare(share, TOLERATED_RATIO);
      log += candidate * Math.log(bet / null_) + stable * Math.log((1 - bet) / (1 - null_));
    }
    return log;
  });
  return logMeanExp(logs);
}

/** Means of e-values are e-values, however these depend on each other (Vovk and Wang, "E-values", Annals of Statistics 2021). */
export function logMeanExp(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0) / logs.length);
}

function oddsToShare(share: number, ratio: number): number {
  return (share * ratio) / (share * ratio + 1 - share);
}
