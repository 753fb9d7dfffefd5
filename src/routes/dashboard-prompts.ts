import type { FastifyInstance, FastifyReply } from 'fastify';
import { renderPromptList } from '../dashboard/prompt-list.ts';
import { promptPageStyles, renderMissingPrompt, renderPromptPage } from '../dashboard/prompt-page.ts';
import type { Rows } from '../dashboard/prompt-page-facts.ts';
import { PROMPTS_PATH, readPromptPath } from '../dashboard/prompt-page-links.ts';
import type { FoundRollouts } from '../dashboard/prompt-page-service.ts';
import { trafficOf } from '../dashboard/prompt-page-traffic.ts';
import { usesOf } from '../dashboard/prompt-page-uses.ts';
import type { Recorder } from '../dashboard/recorder.ts';
import { pagePolicy } from '../dro/report/page.ts';
import { PreambleError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { readPromptTensor } from '../prompts/artifact.ts';
import type { KnownPrompt, KnownPrompts } from '../prompts/known-prompts.ts';
import { promptLabel, quote } from '../prompts/name.ts';

const policy = `${pagePolicy(promptPageStyles)}; frame-ancestors 'none'`;

/** For those who own safety: every prompt, and one page for each version. The pages fetch nothing and run nothing. */
export async function dashboardPromptRoutes(
  app: FastifyInstance,
  { gateway, recorder }: { gateway: Gateway; recorder: Recorder },
): Promise<void> {
  app.get(PROMPTS_PATH, async (_request, reply) => {
    const { versions, broken } = await gateway.findPrompts();
    const traffic = trafficOf(
      recorder,
      versions.map(({ label }) => label),
      Date.now(),
    );
    const listed = versions.map((version) => ({
      version,
      uses: usesOf(gateway.current(), version.digest),
      // What was asked under a version was answered by the content that is used.
      traffic: isShadowed(version, versions) ? undefined : traffic.get(version.label),
    }));
    return send(reply, renderPromptList(listed, broken));
  });

  // A name has slashes of its own, so the version is what stands behind the last one.
  app.get<{ Params: { '*': string } }>(`${PROMPTS_PATH}/*`, async (request, reply) => {
    const known = await gateway.findPrompts();
    const wanted = readPromptPath(request.params['*']);
    const same = known.versions.filter(({ name, version }) => name === wanted?.name && version === wanted.version);
    const version = same.find(({ isUsed }) => isUsed) ?? same[0];
    if (version === undefined) return send(reply.code(404), missing(request.params['*'], known));
    const { label, digest } = version;
    const traffic = trafficOf(recorder, [label], Date.now()).get(label);
    if (traffic === undefined) throw new PreambleError('internal', `${label} has no traffic.`);
    const page = {
      version,
      rows: await rowsOf(version),
      uses: usesOf(gateway.current(), digest),
      rollouts: await rolloutsOf(gateway),
      traffic,
      otherDigest: same.find((other) => other !== version)?.digest ?? null,
    };
    return send(reply, renderPromptPage(page));
  });
}

function send(reply: FastifyReply, page: string): FastifyReply {
  return reply
    .header('content-security-policy', policy)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(page);
}

function isShadowed(version: KnownPrompt, versions: readonly KnownPrompt[]): boolean {
  return !version.isUsed && versions.some(({ label, isUsed }) => isUsed && label === version.label);
}

function missing(path: string, { versions, broken }: KnownPrompts): string {
  const wanted = readPromptPath(path);
  const damaged = broken.find(({ name, version }) => name === wanted?.name && version === wanted.version);
  if (damaged !== undefined) return renderMissingPrompt(`${damaged.label} is damaged: ${damaged.error.message}`, []);
  const others = versions.filter(({ name }) => name === (wanted?.name ?? path));
  const what = quote(wanted === null ? path : promptLabel(wanted.name, wanted.version));
  return renderMissingPrompt(`This gateway has no prompt ${what}.`, others);
}

/** Those of what is used are in memory; others are read and let go. */
async function rowsOf(version: KnownPrompt): Promise<Rows> {
  try {
    if (!version.isUsed) return await readPromptTensor(version.directory, version.manifest);
    const { tokens, hiddenSize, stored } = await version.load();
    return { tokens, hiddenSize, dtype: stored.dtype };
  } catch (error) {
    if (error instanceof PreambleError) return { problem: error.message };
    throw error;
  }
}

/** A page without them is better than none while Redis is away. */
async function rolloutsOf({ rollouts }: Gateway): Promise<FoundRollouts> {
  try {
    return (await rollouts?.statuses()) ?? [];
  } catch (error) {
    if (error instanceof PreambleError) return null;
    throw error;
  }
}
