import { PreambleError } from '../../errors.ts';
import { isObject } from '../../openai/validate.ts';

export interface RefusedField {
  /** Why it may not be set. */
  readonly reason: string;
  /** What it may say all the same, as it changes nothing. */
  readonly harmless: readonly unknown[];
}

export type RefusedFields = Readonly<Record<string, RefusedField>>;

/** Fields of which any server that knows them would leave the safety prompt out, or put something else in its place. */
export const commonRefusals: RefusedFields = {
  chat_template: { reason: 'the template belongs to the model', harmless: [] },
  truncate_prompt_tokens: { reason: 'it would cut the beginning off', harmless: [] },
  logits_processors: { reason: 'it names code to run', harmless: [] },
  continue_final_message: { reason: 'it changes where the answer begins', harmless: [false] },
  add_generation_prompt: { reason: 'it changes where the answer begins', harmless: [true] },
};

/**
 * Variables that servers give to templates themselves; the model's special tokens, in whose place any text could stand, in front of
 * everything too; and what the library that renders takes for its own, where it could cut the beginning off.
 */
const TEMPLATE_VARIABLES = [
  'messages',
  'conversation',
  'tools',
  'documents',
  'chat_template',
  'add_generation_prompt',
  'continue_final_message',
  'tokenize',
  'bos_token',
  'eos_token',
  'pad_token',
  'unk_token',
  'sep_token',
  'cls_token',
  'mask_token',
  'additional_special_tokens',
  'truncation',
  'max_length',
  'padding',
  'tokenizer_kwargs',
  'return_dict',
  'return_tensors',
  'return_assistant_tokens_mask',
];

/** Throws `unsupported_parameter`. */
export function refuseFields(request: object, refused: RefusedFields): void {
  for (const [name, { reason, harmless }] of Object.entries(refused)) {
    const value: unknown = Reflect.get(request, name);
    if (value === undefined || value === null || harmless.includes(value)) continue;
    throw refusedField(name, reason);
  }
  const variables: unknown = Reflect.get(request, 'chat_template_kwargs');
  if (!isObject(variables)) return;
  const taken = TEMPLATE_VARIABLES.find((name) => Object.hasOwn(variables, name));
  if (taken !== undefined) {
    throw new PreambleError('unsupported_parameter', `'chat_template_kwargs.${taken}' may not be set here.`, {
      action: 'Leave it out.',
      param: 'chat_template_kwargs',
    });
  }
}

export function refusedField(name: string, reason: string, action = 'Leave it out.'): PreambleError {
  return new PreambleError('unsupported_parameter', `'${name}' may not be set here: ${reason}.`, {
    action,
    param: name,
  });
}
