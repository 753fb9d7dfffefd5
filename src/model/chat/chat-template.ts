import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { PreambleError } from '../../errors.ts';
import { invalid, readJsonFile, readTextFile } from '../tokenizer/tokenizer-file.ts';
import { templateGlobals } from './template-globals.ts';
import { runTemplate } from './template-interpreter.ts';
import type { TemplateMessage } from './template-messages.ts';
import { readTraits, type TemplateTraits } from './template-traits.ts';

/** What a template is given beside its globals; the names are those of transformers' `apply_chat_template`. */
export interface TemplateInput {
  messages: readonly TemplateMessage[];
  /** OpenAI's tool objects; null where there are none. */
  tools: readonly unknown[] | null;
  addGenerationPrompt: boolean;
  /** More variables, as vLLM's `chat_template_kwargs`. */
  variables?: Readonly<Record<string, unknown>>;
}

export interface ChatTemplate {
  /** The conversation as text. Throws `invalid_request` with the template's message where it raises. */
  render(input: TemplateInput): string;
  /** What the template can do, found by rendering. `tools`: whether there will be any, since that may choose the template. */
  traits(tools: boolean): TemplateTraits;
  /** Whether the template reads a message's `reasoning_content`. */
  readonly readsReasoning: boolean;
}

/** Names of templates: transformers takes `tool_use` where there are tools and it exists. */
type TemplateSources = ReadonlyMap<string, string>;

const configSchema = Type.Object(
  {
    chat_template: Type.Optional(
      Type.Union([
        Type.String(),
        Type.Array(Type.Object({ name: Type.String(), template: Type.String() }, { additionalProperties: true })),
        Type.Null(),
      ]),
    ),
  },
  { additionalProperties: true },
);

/**
 * A model directory's `chat_template.jinja`, or `chat_template` of its `tokenizer_config.json`; null where there is
 * neither. Throws `file_unreadable`, `format_invalid`, and `model_unsupported` for a template that can't be read.
 */
export async function loadChatTemplate(directory: string): Promise<ChatTemplate | null> {
  const path = join(directory, 'tokenizer_config.json');
  const config = (await readJsonFile(directory, 'tokenizer_config.json')) ?? {};
  if (!Value.Check(configSchema, config))
    throw invalid(path, 'chat_template is no text and no list of named templates');
  const own = await readTextFile(directory, 'chat_template.jinja');
  const named = config.chat_template;
  const sources = new Map<string, string>();
  if (Array.isArray(named)) for (const { name, template } of named) sources.set(name, template);
  else if (typeof named === 'string') sources.set('default', named);
  if (own !== undefined) sources.set('default', own);
  return sources.size === 0 ? null : createChatTemplate(sources, readTokenVariables(config), directory);
}

/** From sources by name, with the special tokens that templates see (`bos_token`, …). */
export function createChatTemplate(
  sources: TemplateSources,
  tokens: Readonly<Record<string, string>>,
  path: string,
): ChatTemplate {
  const compiled = new Map([...sources].map(([name, source]) => [name, compile(source, path)]));
  const fallback = compiled.get('default') ?? (compiled.size === 1 ? [...compiled.values()][0] : undefined);
  const traits = new Map<Template, TemplateTraits>();

  function choose(tools: boolean): Template {
    const chosen = (tools ? compiled.get('tool_use') : undefined) ?? fallback;
    if (chosen !== undefined) return chosen;
    throw new PreambleError(
      'model_unsupported',
      `${path} has chat templates named ${[...sources.keys()].join(', ')}, none of them default.`,
      {
        action: 'Name one of them "default" in tokenizer_config.json.',
      },
    );
  }

  return {
    render: (input) => render(choose(input.tools !== null), input, tokens),
    traits(tools) {
      const template = choose(tools);
      const known = traits.get(template) ?? readTraits((messages) => probe(template, messages, tokens));
      traits.set(template, known);
      return known;
    },
    readsReasoning: [...sources.values()].some((source) => source.includes('reasoning_content')),
  };
}

/** `bos_token`, `eos_token` and the like, as texts. */
function readTokenVariables(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(config)) {
    if (!/^(bos|eos|unk|sep|pad|cls|mask)_token$/.test(name)) continue;
    if (typeof value === 'string') variables[name] = value;
    else if (Value.Check(Type.Object({ content: Type.String() }, { additionalProperties: true }), value)) {
      variables[name] = value.content;
    }
  }
  return variables;
}

function compile(source: string, path: string): Template {
  try {
    return new Template(source);
  } catch (error) {
    throw new PreambleError('model_unsupported', `The chat template in ${path} can't be read: ${firstLine(error)}.`, {
      action: 'Put a corrected chat_template.jinja into the model directory.',
      cause: error,
    });
  }
}

function render(template: Template, input: TemplateInput, tokens: Readonly<Record<string, string>>): string {
  const variables = {
    ...input.variables,
    ...templateGlobals,
    ...tokens,
    messages: input.messages,
    tools: input.tools,
    documents: null,
    add_generation_prompt: input.addGenerationPrompt,
  };
  try {
    return runTemplate(template.parsed, variables);
  } catch (error) {
    if (error instanceof PreambleError) throw error;
    throw new PreambleError(
      'invalid_request',
      `The model's chat template can't render this conversation: ${firstLine(error)}.`,
      {
        param: 'messages',
        cause: error,
      },
    );
  }
}

/** The rendering, null where the template refuses. */
function probe(template: Template, messages: readonly TemplateMessage[], tokens: Readonly<Record<string, string>>) {
  try {
    return render(template, { messages, tools: null, addGenerationPrompt: true }, tokens);
  } catch {
    return null;
  }
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split('\n')[0] ?? '').slice(0, 300).replace(/\.$/, '');
}
