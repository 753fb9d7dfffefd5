/** A server as the choice sees it. */
export interface Candidate {
  /** Tells servers apart for good: its URL. */
  readonly key: string;
  /** Requests under way. */
  readonly outstanding: number;
  /** 0 to 1: how much of its share it gets. */
  readonly weight: number;
}

/**
 * How far above the mean the server of a conversation may be loaded before the conversation moves on ("Consistent Hashing with Bounded
 * Loads", arXiv 1608.01350, with c = 1.25).
 */
const LOAD_BOUND = 1.25;

/**
 * The server that a conversation was sent to before, as its prefix cache then holds what both have in common (rendezvous hashing, so that
 * a server that comes or goes moves only its own conversations), unless that one has far more to do than the others; then, and for a
 * request without affinity, the one with the least to do. Null without candidates.
 */
export function chooseServer<Server extends Candidate>(
  candidates: readonly Server[],
  affinity: string | null,
): Server | null {
  const [only, ...others] = candidates;
  if (only === undefined || others.length === 0) return only ?? null;
  const least = leastLoaded(candidates);
  if (affinity === null) return least;
  const home = candidates.reduce((best, server) => (score(server, affinity) > score(best, affinity) ? server : best));
  const mean = candidates.reduce((total, server) => total + server.outstanding, 0) / candidates.length;
  // One more than the mean is always allowed: with few requests the mean is next to nothing.
  return loadOf(home) <= Math.max(mean * LOAD_BOUND, mean + 1) ? home : least;
}

function leastLoaded<Server extends Candidate>(candidates: readonly Server[]): Server {
  const lowest = Math.min(...candidates.map(loadOf));
  const idle = candidates.filter((server) => loadOf(server) <= lowest);
  const [first] = idle;
  const chosen = idle[Math.floor(Math.random() * idle.length)] ?? first;
  if (chosen === undefined) throw new RangeError('no candidates');
  return chosen;
}

/** A server that starts anew counts as busier than it is. */
function loadOf({ outstanding, weight }: Candidate): number {
  return (outstanding + 1) / Math.max(weight, 0.01) - 1;
}

function score({ key }: Candidate, affinity: string): number {
  return hash(`${key}\n${affinity}`);
}

/** FNV-1a, 32 bits, with the finaliser of MurmurHash3: alike texts get unlike values. Not for secrets. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
