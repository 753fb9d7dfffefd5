import { fileURLToPath } from 'node:url';
import type { Argument, Command, Option } from 'commander';
import { createProgram } from '../../src/commands/program.ts';
import { code, prose, table } from './markdown.ts';

/** What is shipped is named from the package's root: where that is differs by machine. */
const root = fileURLToPath(new URL('../../', import.meta.url));

/** `docs/reference/cli.md`, from the commands themselves. */
export function cliReference(): string {
  const [program, ...commands] = allCommands(createProgram());
  const intro = [
    '# Commands',
    'Made by `npm run docs:reference` from the commands themselves; do not edit.',
    'Every command exits with 0 when it is done, 1 when it failed, and 2 when it was used wrongly. Every command takes `--help`.',
  ];
  const parts = program === undefined ? [] : [optionsOf(program), ...commands.map(sectionOf)];
  return `${[...intro, ...parts].filter((part) => part !== '').join('\n\n')}\n`;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

function sectionOf(command: Command): string {
  const usage = command.createHelp().commandUsage(command);
  const name = usage.split(' [')[0]?.split(' <')[0] ?? usage;
  const level = command.parent?.parent === null ? '##' : '###';
  const parts = [`${level} ${name}`, `${prose(command.description())}.`];
  if (command.commands.length === 0) parts.push(`Usage: ${code(usage)}`);
  parts.push(argumentsOf(command), optionsOf(command), notesOf(command));
  return parts.filter((part) => part !== '').join('\n\n');
}

function argumentsOf({ registeredArguments }: Command): string {
  if (registeredArguments.length === 0) return '';
  const rows = registeredArguments.map((argument) => [code(argument.name()), meaningOf(argument), defaultOf(argument)]);
  return table(['argument', 'meaning', 'default'], rows);
}

function optionsOf({ options }: Command): string {
  if (options.length === 0) return '';
  const rows = options.map((option) => {
    const meaning = option.mandatory ? `${meaningOf(option)} (required)` : meaningOf(option);
    return [code(option.flags), meaning, defaultOf(option)];
  });
  return table(['option', 'meaning', 'default'], rows);
}

/** What `--help` says after the options, as it stands there: the help itself is written first, and at once. */
function notesOf(command: Command): string {
  const written: string[] = [];
  command.configureOutput({ writeOut: (text) => written.push(text) }).outputHelp();
  const notes = written.slice(1).join('').trim();
  return notes === '' ? '' : `\`\`\`text\n${notes}\n\`\`\``;
}

function meaningOf({ description, argChoices }: Argument | Option): string {
  const choices = argChoices === undefined ? '' : `; one of ${argChoices.map(code).join(', ')}`;
  return `${prose(description)}${choices}`;
}

function defaultOf({ defaultValue, defaultValueDescription }: Argument | Option): string {
  if (defaultValueDescription !== undefined) return prose(defaultValueDescription);
  return defaultValue === undefined ? '' : code(JSON.stringify(defaultValue).replaceAll(root, ''));
}
