import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { postJson } from '../../helpers/build.ts';
import { freePort } from '../../helpers/redis.ts';
import { type CliProcess, runCli, serving, startCli } from '../../helpers/serve-process.ts';
import { tinyChatModel } from '../../helpers/tiny-model.ts';
import { type CodeBlock, readPage } from './pages.ts';
import { commandsOf, type Words } from './shell.ts';

/** What the page calls the model; here it is the tiny one. */
const MODEL = 'smollm2-135m-instruct';
/** A file that the reader makes: its name stands in the first line. */
const FILE = /^(?:#|\/\/) (\w+\.(?:yaml|mjs))\n/;
/** Programs whose commands are not run here: other servers, and what prepares the reader's shell. */
const NOT_OURS = ['npm', 'curl', 'alias', 'queries=$PWD/prompts/queries', 'mkdir', 'cd', 'vllm', 'llama-server'];
/** What the tiny model needs besides, by command. */
const MORE: Readonly<Record<string, Words>> = {
  // The page's prompts are for a model that is known by its name; this one is not.
  evaluate: ['--model', './model'],
  // What it says by itself goes in circles already: larger steps would break it.
  train: ['--learning-rate', '1e-5'],
  // Its weights are random, so its states share no direction along which virtual tokens could be kept down.
  graft: ['--dry-run'],
};
/** Enough for batches of both labels. */
const QUERIES = 6;

export interface Tutorial {
  /** Where the reader is. */
  readonly cwd: string;
  /** Does what the part under a heading that begins so says: writes its files, runs its commands, each to its end; gives what they said on standard output. */
  step(heading: string): Promise<string[]>;
  /** One command, to its end; `serve` until it answers, in place of the gateway that was started before. */
  run(words: Words): Promise<string>;
  /** The gateway that the reader has started last. */
  gateway(): CliProcess;
  /** Asks it something, and gives the prompt that stood in front. */
  ask(): Promise<string | null>;
  /** Asks until this prompt is in front: what is promoted is seen within a second. */
  askUntil(prompt: string): Promise<void>;
  /** The operators' page, as the browser gets it. */
  dashboard(): Promise<string>;
}

/** A page, followed to the letter but for the model, ports and addresses: `servers` answers in place of those that it names. */
export async function openTutorial(
  t: Test,
  servers: Readonly<Record<string, string>>,
  path = 'docs/tutorial.md',
): Promise<Tutorial> {
  const { blocks } = await readPage(path);
  const cwd = t.testdir({
    model: await tinyChatModel(),
    queries: { 'train.jsonl': queries('how'), 'dev.jsonl': queries('why') },
  });
  const adminPort = await freePort();
  const environment = {
    PREAMBLE_LISTEN_PORT: '0',
    PREAMBLE_ADMIN_PORT: String(adminPort),
    PREAMBLE_CACHE: join(cwd, 'cache'),
  };
  await mkdir(join(cwd, 'cache'));
  let running: CliProcess | null = null;
  let origin = '';

  const here = (text: string) =>
    Object.entries(servers)
      .reduce((changed, [documented, real]) => changed.replaceAll(documented, real), text)
      .replaceAll(new RegExp(`(--model |model: )${MODEL}\\b`, 'g'), '$1./model')
      .replaceAll('$queries', join(cwd, 'queries'));

  async function run(words: Words): Promise<string> {
    const [, ...args] = words;
    if (args[0] === 'serve') {
      running?.child.kill('SIGTERM');
      await running?.ended;
      running = startCli(t, cwd, args, environment);
      origin = await serving(running);
      return running.stdout();
    }
    const more = MORE[args[0] ?? ''] ?? [];
    const { code, stdout, stderr } = await runCli(t, cwd, [...args, ...more], environment);
    t.equal(code, 0, `${words.join(' ')}\n${stdout}${stderr}`);
    return stdout;
  }

  async function follow({ text, language }: CodeBlock): Promise<string[]> {
    const [, file] = FILE.exec(text) ?? [];
    if (file !== undefined) {
      await writeFile(join(cwd, file), here(text));
      return [];
    }
    if (language !== '') return [];
    const said: string[] = [];
    const commands = commandsOf(here(text));
    const isShell = commands.some(([program = '']) => program === 'preamble' || NOT_OURS.includes(program));
    for (const words of isShell ? commands : []) {
      if (words[0] === 'preamble') said.push(await run(words));
      else t.ok(NOT_OURS.includes(words[0] ?? ''), `${words.join(' ')} is known here`);
    }
    return said;
  }

  async function ask(): Promise<string | null> {
    const body = { model: MODEL, max_tokens: 4, messages: [{ role: 'user', content: 'Hi' }] };
    const answer = await postJson(`${origin}/v1/chat/completions`, body);
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(text);
    return answer.headers.get('x-preamble-prompt');
  }

  return {
    cwd,
    run,
    async step(heading) {
      const said: string[] = [];
      for (const block of blocks.filter(({ section }) => section.startsWith(heading)))
        said.push(...(await follow(block)));
      return said;
    },
    gateway() {
      if (running === null) throw new Error('no gateway was started');
      return running;
    },
    ask,
    async askUntil(prompt) {
      while ((await ask()) !== prompt) await sleep(50);
    },
    dashboard: async () => await (await fetch(`http://127.0.0.1:${adminPort}/dashboard`)).text(),
  };
}

function queries(opening: string): string {
  const lines = Array.from({ length: QUERIES }, (_, index) =>
    JSON.stringify({
      text: `${opening} is it ${'so '.repeat(index)}here`,
      label: index % 2 === 0 ? 'harmful' : 'harmless',
    }),
  );
  return lines.join('\n');
}
