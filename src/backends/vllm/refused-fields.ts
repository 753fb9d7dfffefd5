import { PreambleError } from '../../errors.ts';
import { isObject } from '../../openai/validate.ts';

interface RefusedField {
  readonly reason: string;
  /** What it may say all the same, as it changes nothing. */
  readonly harmless: readonly unknown[];
}

/** Fields of vLLM's that would leave the safety prompt out, or put something else in its place. */
const REFUSED: Readonly<Record<string, RefusedField>> = {
  chat_template: { reason: 'the template belongs to the model', harmless: [] },
  truncate_prompt_tokens: { reason: 'it would cut the beginning off', harmless: [] },
  logits_processors: { reason: 'it names code to run', harmless: [] },
  kv_transfer_params: { reason: 'it names caches of other requests', harmless: [] },
  ec_transfer_params: { reason: 'it names caches of other requests', harmless: [] },
  continue_final_message: { reason: 'it changes where the answer begins', harmless: [false] },
  add_generation_prompt: { reason: 'it changes where the answer begins', harmless: [true] },
};

/**
 * Variables that vLLM gives to templates itself; the model's special tokens, in whose place any text could stand, in front of everything
 * too; and what the library that renders takes for its own, where it could cut the beginning off.
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
export function refuseFields(request: object): void {
  for (const [name, { reason, harmless }] of Object.entries(REFUSED)) {
    const value: unknown = Reflect.get(request, name);
    if (value === undefined || value === null || harmless.includes(value)) continue;
    throw new PreambleError('unsupported_parameter', `'${name}' may not be set here: ${reason}.`, {
      action: 'Leave it out.',
      param: name,
    });
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
