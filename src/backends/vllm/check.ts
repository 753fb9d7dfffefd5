import semver from 'semver';
import { PreambleError } from '../../errors.ts';
import type { UpstreamServer } from '../upstream/server.ts';
import { readVersion } from './discovery.ts';
import type { ProbeAnswer } from './probe-answer.ts';
import type { ServerCall } from './server-json.ts';

/** Parts of a message that are embeddings came with this release. */
const FIRST_WITH_PARTS = '0.21.0';
/** Before it, a client's tensor could harm the server (CVE-2026-56340 and others); through the gateway none gets there, past it one may. */
const FIRST_SAFE = '0.26.0';

/** One thing that was looked at, for `preamble doctor` and for the start. */
export interface Check {
  readonly name: 'version' | 'prompt embeddings' | 'content parts' | 'virtual tokens' | 'same as text';
  /** `warning`: it serves, and should be seen to. */
  readonly outcome: 'ok' | 'warning' | 'failed';
  /** One sentence. */
  readonly finding: string;
  /** What to do about it; null where nothing need be done. */
  readonly action: string | null;
}

export interface CheckContext {
  readonly server: UpstreamServer;
  /** The server's name for the model. */
  readonly model: string;
  readonly call: ServerCall;
}

export function ok(name: Check['name'], finding: string): Check {
  return { name, outcome: 'ok', finding, action: null };
}

export function failed(name: Check['name'], finding: string, action: string): Check {
  return { name, outcome: 'failed', finding, action };
}

/** Throws `upstream_*` where the server cannot be asked. */
export async function checkVersion({ server, call }: CheckContext): Promise<Check> {
  const version = await readVersion(server, call);
  const name = 'version';
  if (version === null) return ok(name, 'The server does not say its version.');
  const parsed = semver.coerce(version);
  const finding = `vLLM ${version}.`;
  if (parsed === null || semver.gte(parsed, FIRST_SAFE)) return ok(name, finding);
  const action = semver.lt(parsed, FIRST_WITH_PARTS)
    ? `Use the completions wire, or vLLM ${FIRST_SAFE} or later.`
    : `Upgrade to ${FIRST_SAFE} or later: it has security fixes.`;
  return { name, outcome: 'warning', finding, action };
}

/** Whether the server takes a prompt's rows at all, and what it answers under them. */
export async function checkTaken(
  label: string,
  hiddenSize: number,
  ask: () => Promise<ProbeAnswer>,
): Promise<{ check: Check; answer: ProbeAnswer | null }> {
  const name = 'prompt embeddings';
  try {
    const answer = await ask();
    return { check: ok(name, `Enabled; rows of ${hiddenSize} values are taken.`), answer };
  } catch (error) {
    if (!(error instanceof PreambleError) || error.code !== 'upstream_error' || error.status >= 500) throw error;
    const finding = `The server refuses ${label}: ${error.message}`;
    const action = error.message.includes('enable-prompt-embeds')
      ? 'Start vLLM with --enable-prompt-embeds.'
      : 'Check that the prompt was made for this model, and that vLLM runs with --enable-prompt-embeds.';
    return { check: failed(name, finding, action), answer: null };
  }
}
