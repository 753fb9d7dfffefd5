import { PreambleError } from '../../errors.ts';
import { isObject } from '../../openai/validate.ts';

/** Fields of vLLM's that would leave the safety prompt out, or put something else in its place. */
const REFUSED: Readonly<Record<string, string>> = {
  chat_template: 'the template belongs to the model',
  truncate_prompt_tokens: 'it would cut the beginning off',
  logits_processors: 'it names code to run',
  kv_transfer_params: 'it names caches of other requests',
  continue_final_message: 'it changes where the answer begins',
};

/** Variables that vLLM gives to templates itself. */
const TEMPLATE_VARIABLES = [
  'messages',
  'conversation',
  'tools',
  'documents',
  'chat_template',
  'add_generation_prompt',
  'continue_final_message',
  'tokenize',
];

/** Throws `unsupported_parameter`. */
export function refuseFields(request: object): void {
  for (const [name, reason] of Object.entries(REFUSED)) {
    const value: unknown = Reflect.get(request, name);
    if (value === undefined || value === null || value === false) continue;
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
