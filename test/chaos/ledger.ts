import type { Timeline } from './timeline.ts';

/** What a client saw of one request. */
export type Outcome =
  /** All of the answer that was asked for. */
  | { readonly kind: 'complete'; readonly prompt: string | null }
  /** An error in words, in place of an answer. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** An answer that began, and ended in an error in words. */
  | { readonly kind: 'broken'; readonly code: string }
  /** The client went away itself. */
  | { readonly kind: 'left' }
  /** The connection failed. */
  | { readonly kind: 'cut'; readonly reason: string }
  /** What no client can make sense of. */
  | { readonly kind: 'untrue'; readonly reason: string };

/** Where a request went: one life of one gateway. */
export interface Life {
  /** The same for all lives of it. */
  readonly gateway: string;
  ending(): { readonly signal: string; readonly at: number } | null;
  /** Since when it has had Redis, by its own log; a full machine may take that from it though nothing is broken. Infinity while it has not. */
  connectedSince(): number;
}

export interface Asked {
  readonly id: string;
  readonly life: Life;
  readonly model: string;
  readonly refusal: boolean;
}

interface Entry extends Asked {
  readonly startedAt: number;
  endedAt: number | null;
  outcome: Outcome | null;
  /** What the model server found in front, each time that it was asked. */
  readonly applied: (string | null)[];
  readonly decisions: Decided[];
}

interface Decided {
  readonly decision: unknown;
  readonly version: unknown;
}

export interface Ledger {
  asked(asked: Asked): void;
  /** A model server got it. */
  applied(id: string, version: string | null, calmSince: number): void;
  ended(id: string, outcome: Outcome): void;
  decided(line: Record<string, unknown>): void;
  /** Judges the requests that ended before, and forgets them. */
  settle(endedBefore: number): void;
  open(): number;
  /** Something else that must not be. */
  blame(what: string): void;
  readonly faults: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
}

/** A gateway gathers log lines for 0.1 s; what kill -9 takes with it is no more than that, on a full machine this. */
const LOST_BY_KILL_MS = 1_500;

/** Every request, from both of its ends and from the log. */
export function createLedger(timelines: ReadonlyMap<string, Timeline>): Ledger {
  const entries = new Map<string, Entry>();
  const faults: string[] = [];
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  const blame = (what: string) => void faults.push(what);

  function judge(entry: Entry): void {
    const { outcome, decisions, id, life, model } = entry;
    if (outcome === null) return;
    count(outcome.kind === 'refused' || outcome.kind === 'broken' ? `${outcome.kind} ${outcome.code}` : outcome.kind);
    for (const { decision } of decisions) count(`decision ${decision}`);
    const wrong = [wrongAnswer(entry, outcome), wrongDecision(entry, outcome), wrongVersion(entry, outcome)];
    for (const what of wrong) if (what !== null) blame(`${id} (${model} by ${life.gateway}): ${what}`);
  }

  return {
    faults,
    counts,
    blame,
    asked(asked) {
      const startedAt = performance.now();
      entries.set(asked.id, { ...asked, startedAt, endedAt: null, outcome: null, applied: [], decisions: [] });
    },
    applied(id, version, calmSince) {
      const entry = entries.get(id);
      // Its client left long ago.
      if (entry === undefined) return;
      entry.applied.push(version);
      const { startedAt, life, model } = entry;
      const since = Math.max(calmSince, life.connectedSince());
      const wrong = timelines.get(model)?.applied(`${life.gateway}/${model}`, version, { startedAt, calmSince: since });
      if (wrong != null) blame(`${id} (${model} by ${life.gateway}): ${wrong}`);
    },
    ended(id, outcome) {
      const entry = entries.get(id);
      if (entry === undefined) return;
      entry.outcome = outcome;
      entry.endedAt = performance.now();
    },
    decided({ requestId, decision, prompt }) {
      const entry = entries.get(String(requestId));
      if (entry === undefined) return blame(`${requestId}: a decision of a request that nobody made, or long after it`);
      entry.decisions.push({ decision, version: versionOf(prompt) });
    },
    settle(endedBefore) {
      for (const [id, entry] of entries) {
        if (entry.endedAt === null || entry.endedAt > endedBefore) continue;
        judge(entry);
        entries.delete(id);
      }
    },
    open: () => [...entries.values()].filter(({ outcome }) => outcome === null).length,
  };
}

function wrongAnswer(entry: Entry, outcome: Outcome): string | null {
  if (outcome.kind === 'untrue') return outcome.reason;
  return outcome.kind === 'cut' && !mayBeCut(entry) ? `lost without a word: ${outcome.reason}` : null;
}

function wrongDecision(entry: Entry, { kind }: Outcome): string | null {
  const [first, ...others] = entry.decisions;
  if (others.length > 0) return `${others.length + 1} decisions for one answer`;
  const answered = kind === 'complete' || kind === 'broken';
  if (first === undefined) return answered && !diedSoonAfter(entry) ? `no decision for an answer (${kind})` : null;
  const said = entry.refusal ? 'refused' : 'complied';
  const wanted = kind === 'complete' ? said : kind === 'refused' ? 'unknown' : null;
  return wanted !== null && first.decision !== wanted ? `decided ${first.decision} where it was ${wanted}` : null;
}

/** What the model server got, what the log says, and what the client was told. */
function wrongVersion({ decisions, applied }: Entry, outcome: Outcome): string | null {
  const told = outcome.kind === 'complete' ? [outcome.prompt] : [];
  const versions = new Set([...decisions.map(({ version }) => version), ...applied, ...told]);
  return versions.size > 1 ? `not one version from end to end: ${[...versions].join(', ')}` : null;
}

/** Killed in the meantime, or told to end before the request was sent: then nobody had accepted it. */
function mayBeCut({ life, startedAt, endedAt }: Entry): boolean {
  const ending = life.ending();
  if (ending === null || endedAt === null) return false;
  return ending.signal === 'SIGKILL' ? ending.at <= endedAt : ending.at <= startedAt;
}

function diedSoonAfter({ life, endedAt }: Entry): boolean {
  const ending = life.ending();
  return ending?.signal === 'SIGKILL' && endedAt !== null && ending.at - endedAt < LOST_BY_KILL_MS;
}

function versionOf(prompt: unknown): unknown {
  return typeof prompt === 'object' && prompt !== null && 'version' in prompt ? prompt.version : null;
}
