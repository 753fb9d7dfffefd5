import { PreambleError } from '../../errors.ts';
import { type ChatCompletionRequest, chatCompletionFields } from '../../openai/chat.ts';
import { type CompletionRequest, completionFields } from '../../openai/completions.ts';
import { isObject } from '../../openai/validate.ts';

/** Fields that are understood and have nothing to change here. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(['tools', 'tool_choice']);

/** Refuses what an answer would be wrong without. Throws `unsupported_parameter`. */
export function refuseUnsupportedChat(request: ChatCompletionRequest): void {
  const { response_format: format, tool_choice: choice } = request;
  if (format !== undefined && format.type !== 'text') {
    throw unsupported(
      'response_format',
      `'response_format' of type ${quote(format.type)} is not supported`,
      'Use text.',
    );
  }
  if (choice !== undefined && choice !== 'auto' && choice !== 'none') {
    throw unsupported('tool_choice', 'This model cannot be made to call a tool', "Use 'auto' or 'none'.");
  }
  const functionCall = fieldOf(request, 'function_call');
  if (isObject(functionCall)) {
    throw unsupported('function_call', 'This model cannot be made to call a function', "Use 'auto' or 'none'.");
  }
  const modalities = fieldOf(request, 'modalities');
  if (Array.isArray(modalities) && modalities.some((modality) => modality !== 'text')) {
    throw unsupported('modalities', 'This model answers in text only', "Use ['text'].");
  }
  if (isObject(fieldOf(request, 'audio'))) throw unsupported('audio', 'This model does not speak', 'Leave it out.');
  request.messages.forEach(({ content }, message) => {
    if (!Array.isArray(content)) return;
    content.forEach(({ type }, part) => {
      if (type === 'text' || type === 'refusal') return;
      const path = `messages[${message}].content[${part}]`;
      throw unsupported(
        path,
        `'${path}' is of type ${quote(type)}, and this model reads text only`,
        'Send text parts.',
      );
    });
  });
}

/** Throws `unsupported_parameter`. */
export function refuseUnsupportedCompletion(request: CompletionRequest): void {
  if (request.suffix) throw unsupported('suffix', 'This model cannot fill in before a suffix', 'Leave it out.');
  if (request.echo === true)
    throw unsupported('echo', "'echo' is not supported", 'Put prompt and answer together yourself.');
  if (request.best_of !== undefined && request.best_of !== (request.n ?? 1)) {
    throw unsupported('best_of', "'best_of' other than 'n' is not supported", 'Leave it out.');
  }
}

/** Names of fields in a request that this backend does nothing with. */
export function ignoredFields(request: object, kind: 'chat' | 'completion'): string[] {
  const read = kind === 'chat' ? chatCompletionFields : completionFields;
  return Object.keys(request).filter((name) => !read.has(name) || WITHOUT_EFFECT.has(name));
}

function fieldOf(request: object, name: string): unknown {
  return isObject(request) ? request[name] : undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function unsupported(param: string, message: string, action: string): PreambleError {
  return new PreambleError('unsupported_parameter', `${message}.`, { param, action });
}
