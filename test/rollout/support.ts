import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Test } from 'tap';
import { registerRolloutCommands } from '../../src/commands/rollout.ts';
import { readArtifactBytes } from '../../src/prompts/artifact.ts';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import type { RedisConnection } from '../../src/redis/connection.ts';
import { promoted } from '../../src/redis/prompts/alias.ts';
import { redisAliases } from '../../src/redis/prompts/aliases.ts';
import { checkArtifact, redisArtifacts } from '../../src/redis/prompts/artifacts.ts';
import { type BuiltProxy, buildProxy, model, type ProxySettings } from '../helpers/build-proxy.ts';
import {
  answerLikeVllm,
  beginEvents,
  chunkEvent,
  doneEvent,
  type FakeVllm,
  lastChunk,
  type Received,
  type Script,
  sendJson,
  startFakeVllm,
  usageEvent,
} from '../helpers/fake-vllm.ts';

/** Rows of the two versions of test/kind: what a request has in front tells which one it got. */
const ROWS = { stable: 3, candidate: 512 } as const;

export interface Rolling {
  readonly fake: FakeVllm;
  readonly gateways: readonly BuiltProxy[];
  /** What answers questions from now on; probes are answered as vLLM does. */
  answerBy(script: Script): void;
  /** Questions that came, without probes. */
  questions(): readonly Received[];
  /** What answers under the candidate from now on; under the stable prompt it is always the same. */
  candidateSays(text: string): void;
  /** `preamble rollout …`, what it printed; throws what it throws. */
  rollout(...args: string[]): Promise<string>;
}

/** Gateways whose model has test/kind@1.0.0 in front, and test/kind@1.1.0-rc.1 beside it. */
export async function startRolling(t: Test, settings: ProxySettings = {}, count = 1): Promise<Rolling> {
  const fake = await startFakeVllm(t);
  let candidateText = 'Good day.';
  let script: Script = (response, received) => answer(response, received, candidateText);
  fake.script = (response, received) =>
    isQuestion(received) ? script(response, received) : answerLikeVllm(response, received, fake.options);
  const gateways: BuiltProxy[] = [];
  for (let index = 0; index < count; index++) {
    const versions = { '1.1.0-rc.1': ROWS.candidate };
    gateways.push(await buildProxy(t, [fake], { rows: ROWS.stable, versions, ...settings }));
  }
  const [first] = gateways;
  return {
    fake,
    gateways,
    answerBy(next) {
      script = next;
    },
    questions: () => fake.received.filter(isQuestion),
    candidateSays(text) {
      candidateText = text;
    },
    rollout: (...args) => rollout(...args, '--config', `${first?.folder}/preamble.yaml`),
  };
}

async function rollout(...args: string[]): Promise<string> {
  let printed = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      printed += String(chunk);
      done();
    },
  });
  const program = new Command('preamble').exitOverride().configureOutput({ writeErr: () => {} });
  registerRolloutCommands(program, { stdout, stderr: stdout });
  await program.parseAsync(['node', 'preamble', 'rollout', ...args]);
  return printed;
}

function isQuestion({ body }: Received): boolean {
  return body.includes('Question ');
}

/** Whether a request came with the candidate in front. */
export function hasCandidate({ body }: Received): boolean {
  // Four numbers of four bytes a row.
  return body.length > ROWS.candidate * 16;
}

export function answer(response: ServerResponse, received: Received, candidateText: string): void {
  say(response, received, hasCandidate(received) ? candidateText : 'Good day.');
}

export function say(response: ServerResponse, received: Received, content: string): void {
  if (received.body.includes('"stream":true')) {
    beginEvents(response).end(`${chunkEvent(content)}${lastChunk}${usageEvent}${doneEvent}`);
    return;
  }
  sendJson(response, 200, {
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: 1,
    model: 'org/model',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  });
}

/** The first turn of a conversation of its own. */
export const opening = (key: string | number) => ({
  model,
  messages: [{ role: 'user' as const, content: `Question ${key}` }],
});

export const REFUSAL = "I'm sorry, but I can't help with that.";

/** The label of the prompt that was in front of the answer. */
export async function askFor(gateway: BuiltProxy, key: string | number): Promise<string> {
  const { status, headers, text } = await gateway.post(opening(key));
  if (status !== 200) throw new Error(text);
  return headers.get('x-preamble-prompt') ?? '';
}

export function eventsOf(gateway: BuiltProxy, event: string): Record<string, unknown>[] {
  return gateway.logs.filter((line) => line['event'] === event);
}

/** Resolves when that many such lines have been logged. */
export async function logged(gateway: BuiltProxy, event: string, count = 1): Promise<void> {
  while (eventsOf(gateway, event).length < count) await sleep(20);
}

/** Both versions, of which the first is promoted. */
export async function putIntoRedis(redis: RedisConnection, folder: string): Promise<void> {
  const registry = await openPromptRegistry([join(folder, 'prompts')]);
  for (const { directory, digest } of registry.versions) {
    await redisArtifacts(redis).push(checkArtifact(await readArtifactBytes(directory), digest, directory));
  }
  const { version, digest } = registry.resolve('test/kind@1.0.0');
  await redisAliases(redis).change('test/kind', (alias) => promoted(alias, { version, digest }, new Date()));
}
