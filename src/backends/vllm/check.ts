import semver from 'semver';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { PreambleError } from '../../errors.ts';
import { type Check, type CheckContext, failed, ok } from '../upstream/check.ts';
import { askIfThere } from '../upstream/discovery.ts';
import type { ProbeAnswer } from '../upstream/probe-answer.ts';

/** Parts of a message that are embeddings came with this release. */
const FIRST_WITH_PARTS = '0.21.0';
/** Before it, a client's tensor could harm the server (CVE-2026-56340 and others); through the gateway none gets there, past it one may. */
const FIRST_SAFE = '0.26.0';

const versionSchema = Type.Object({ version: Type.String() }, { additionalProperties: true });

/** Throws `upstream_*` where the server cannot be asked. */
export async function checkVersion({ server, call }: CheckContext): Promise<Check> {
  const answer = await askIfThere(server, '/version', call);
  const name = 'version';
  // Another server that speaks the same wire.
  if (!Value.Check(versionSchema, answer)) return ok(name, 'The server does not say its version.');
  const { version } = answer;
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
