import { type Command, CommanderError } from 'commander';
import t from 'tap';
import { createProgram } from '../../src/commands/program.ts';
import { readPages } from './support/pages.ts';
import { commandsOf, type Words } from './support/shell.ts';

/** Options in the pages that are other programs': vLLM's, SGLang's, those of llama.cpp's quantiser. */
const FOREIGN = [
  '--enable-prompt-embeds',
  '--chat-template-content-format',
  '--otlp-traces-endpoint',
  '--model-path',
  '--token-embedding-type',
];

/** The program as it is, but that nothing happens when a line is in order. */
function harmlessProgram(): Command {
  const program = createProgram();
  const silence = (command: Command) => {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
    // A command that only holds others says its help when it is called; then there is no action to take away.
    if (command.commands.length === 0 || command === program) command.action(() => {});
    command.commands.forEach(silence);
  };
  silence(program);
  return program;
}

/** What the program says is wrong with these arguments; null where it would do what they say. */
async function faultOf(args: Words): Promise<string | null> {
  try {
    await harmlessProgram().parseAsync([...args], { from: 'user' });
    return null;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    return thrown.exitCode === 0 ? null : thrown.message;
  }
}

/** `preamble …`, and `npm start -- …`, which is the same with `serve`. */
function argumentsOf(words: Words): Words | null {
  const [program, first, second, ...rest] = words;
  if (program === 'preamble') return words.slice(1);
  return program === 'npm' && first === 'start' && second === '--' ? ['serve', ...rest] : null;
}

t.test('every command line is one that the program takes', async (t) => {
  let lines = 0;
  for (const { path, blocks } of await readPages()) {
    for (const { text } of blocks) {
      for (const words of commandsOf(text)) {
        const args = argumentsOf(words);
        if (args === null) continue;
        lines++;
        t.equal(await faultOf(args), null, `${path}: ${words.join(' ')}`);
      }
    }
  }
  t.ok(lines > 30, `${lines} lines were parsed`);
});

t.test('commands and options that are named in passing are there', async (t) => {
  const program = createProgram();
  const all = new Set([...allCommands(program).flatMap(optionsOf), ...FOREIGN, '--version']);
  const named = (await readPages()).flatMap(({ path, spans }) => spans.map((span) => ({ path, span })));
  for (const { path, span } of named) {
    const [first = '', ...words] = span.split(/\s+/);
    if (first === 'preamble') t.equal(strayIn(program, words), null, `${path}: ${span}`);
    else if (first.startsWith('--')) t.ok(all.has(first.replace(/=.*/, '')), `${path}: ${span}`);
  }
  for (const option of FOREIGN)
    t.ok(
      named.some(({ span }) => span.startsWith(option)),
      `${option} is named somewhere`,
    );
});

t.test('what is not there is seen', async (t) => {
  const wrong = [
    'promt list',
    'prompt lst',
    'train --model m --name a --train a --dev b --objektive vpt',
    'rollout start a',
  ];
  for (const line of wrong) t.type(await faultOf(line.split(' ')), 'string', line);
  t.type(
    await faultOf(['rollout', 'start', 'a', '--candidate', '1.0.0', '--share', '5']),
    'string',
    'a share without %',
  );
  t.equal(strayIn(createProgram(), ['prompt', 'push|pul']), 'pul');
  t.equal(strayIn(createProgram(), ['evaluate', '--sett']), '--sett');
  t.strictSame(commandsOf('$ a \'b c\' --d="e f" \\\n  g # h\nkubectl i | j - && k > l 2>&1\n'), [
    ['a', 'b c', '--d=e f', 'g'],
    ['kubectl', 'i'],
    ['j', '-'],
    ['k'],
  ]);
});

/** The first word that is neither a command, nor an option of the one named before it, nor an argument; `a|b` names both. */
function strayIn(program: Command, words: Words): string | null {
  let at = program;
  for (const word of words) {
    if (word.startsWith('-')) {
      if (word.startsWith('--') && !optionsOf(at).includes(word.replace(/=.*/, ''))) return word;
      continue;
    }
    if (at.commands.length === 0) continue;
    const names = word.split('|');
    const found = names.map((name) => at.commands.find((command) => command.name() === name));
    const missing = names.find((_, index) => found[index] === undefined);
    if (missing !== undefined) return missing;
    at = found[0] ?? at;
  }
  return null;
}

function optionsOf(command: Command): string[] {
  return [...command.options.flatMap(({ long }) => long ?? []), '--help'];
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}
