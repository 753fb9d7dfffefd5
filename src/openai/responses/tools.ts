import Type from 'typebox';
import { fieldError, valueParser } from '../validate.ts';
import { quote, unsupported } from './unsupported.ts';

const open = { additionalProperties: true };

const readTool = valueParser(
  Type.Object(
    {
      name: Type.String({ minLength: 1 }),
      description: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      parameters: Type.Optional(Type.Union([Type.Object({}, open), Type.Null()])),
      strict: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    },
    open,
  ),
);
const readNamed = valueParser(Type.Object({ name: Type.String({ minLength: 1 }) }, open));
const readAllowed = valueParser(
  Type.Object(
    {
      mode: Type.Union([Type.Literal('auto'), Type.Literal('required')]),
      tools: Type.Array(Type.Object({ type: Type.String() }, open)),
    },
    open,
  ),
);

/** A function that the model may call, as the response shows it again. */
export interface FunctionTool {
  type: 'function';
  name: string;
  description: string | null;
  parameters: { [key: string]: unknown } | null;
  strict: boolean | null;
}

const MODES = ['none', 'auto', 'required'] as const;
type Mode = (typeof MODES)[number];

export type ToolChoice =
  | Mode
  | { type: 'function'; name: string }
  | { type: 'allowed_tools'; mode: 'auto' | 'required'; tools: { [key: string]: unknown }[] };

/** Throws `unsupported_parameter` for the tools that OpenAI runs itself. */
export function readTools(tools: readonly { readonly type: string }[]): FunctionTool[] {
  return tools.map((tool, index) => {
    const path = `tools[${index}]`;
    if (tool.type !== 'function') {
      throw unsupported(`${path}.type`, `The tool ${quote(tool.type)} is not here`, 'Use tools of type function.');
    }
    const { name, description = null, parameters = null, strict = null } = readTool(tool, path);
    return { type: 'function', name, description, parameters: parameters && { ...parameters }, strict };
  });
}

/** Throws `invalid_request` for a choice among tools that are not in the request. */
export function readToolChoice(
  choice: string | { readonly type: string } | undefined,
  tools: readonly FunctionTool[],
): ToolChoice {
  if (choice === undefined) return 'auto';
  if (typeof choice === 'string') {
    const mode = MODES.find((known) => known === choice);
    if (mode === undefined) throw fieldError('tool_choice', `must be one of ${MODES.join(', ')}, or an object`);
    if (mode === 'required') requireTools(tools);
    return mode;
  }
  if (choice.type === 'function') {
    const { name } = readNamed(choice, 'tool_choice');
    requireTool(name, tools, 'tool_choice.name');
    return { type: 'function', name };
  }
  if (choice.type !== 'allowed_tools') {
    throw unsupported('tool_choice', `The tool ${quote(choice.type)} is not here`, 'Choose a function.');
  }
  const { mode, tools: allowed } = readAllowed(choice, 'tool_choice');
  for (const { name, path } of namesOf(allowed)) requireTool(name, tools, path);
  if (mode === 'required') requireTools(allowed);
  return { type: 'allowed_tools', mode, tools: allowed };
}

/** The fields of a chat request. Of allowed tools only those are shown to the model, which is what it comes to. */
export function toChatTools(
  tools: readonly FunctionTool[],
  choice: ToolChoice,
  parallel: boolean | undefined,
): Record<string, unknown> {
  const narrowed = typeof choice === 'object' && choice.type === 'allowed_tools';
  const allowed = narrowed ? new Set(namesOf(choice.tools).map(({ name }) => name)) : null;
  const shown = tools.filter(({ name }) => allowed === null || allowed.has(name));
  // Servers refuse an empty list, and a choice without one.
  if (shown.length === 0) return {};
  return {
    tools: shown.map(toChatTool),
    ...(choice === 'auto' ? {} : { tool_choice: toChatChoice(choice) }),
    ...(parallel === undefined ? {} : { parallel_tool_calls: parallel }),
  };
}

function toChatTool({ name, description, parameters, strict }: FunctionTool): object {
  const given = Object.entries({ description, parameters, strict }).filter(([, value]) => value !== null);
  return { type: 'function', function: { name, ...Object.fromEntries(given) } };
}

function toChatChoice(choice: ToolChoice): unknown {
  if (typeof choice === 'string') return choice;
  return choice.type === 'function' ? { type: 'function', function: { name: choice.name } } : choice.mode;
}

function namesOf(tools: readonly { readonly type?: unknown }[]): { name: string; path: string }[] {
  return tools.map((tool, index) => {
    const path = `tool_choice.tools[${index}]`;
    if (tool.type !== 'function')
      throw unsupported(path, 'Only functions can be chosen', 'Use tools of type function.');
    return { name: readNamed(tool, path).name, path: `${path}.name` };
  });
}

function requireTool(name: string, tools: readonly FunctionTool[], path: string): void {
  if (tools.some((tool) => tool.name === name)) return;
  throw fieldError(path, `there is no tool of the name ${quote(name)}`);
}

function requireTools(tools: readonly unknown[]): void {
  if (tools.length === 0) throw fieldError('tool_choice', "'required' needs a tool");
}
