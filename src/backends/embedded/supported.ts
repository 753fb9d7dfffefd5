import { PreambleError } from '../../errors.ts';
import type { ChatCompletionRequest } from '../../openai/chat.ts';
import type { CompletionRequest } from '../../openai/completions.ts';

/** Refuses what this backend would otherwise answer wrongly without a word. Fields it merely does not use are ignored instead. */
export function assertChatSupported(request: ChatCompletionRequest): void {
  const format = request.response_format?.type ?? 'text';
  if (format !== 'text') {
    throw unsupported(
      'response_format',
      `response_format ${JSON.stringify(format)} is not supported by the embedded model.`,
    );
  }
  if ((request.tools?.length ?? 0) > 0 && request.tool_choice !== 'none') {
    throw unsupported('tools', 'Tool calls are not supported by the embedded model.');
  }
  request.messages.forEach((message, index) => {
    if (!Array.isArray(message.content)) return;
    message.content.forEach((part, at) => {
      if (part.type === 'text') return;
      throw unsupported(
        `messages[${index}].content[${at}].type`,
        `Content parts of type ${JSON.stringify(part.type)} are not supported by the embedded model.`,
      );
    });
  });
}

export function assertCompletionSupported(request: CompletionRequest): void {
  if (request.suffix !== undefined && request.suffix !== '')
    throw unsupported('suffix', 'suffix is not supported by the embedded model.');
  if (request.best_of !== undefined && request.best_of !== (request.n ?? 1)) {
    throw unsupported('best_of', 'best_of other than n is not supported by the embedded model.');
  }
  if (request.echo === true && request.logprobs !== undefined) {
    throw unsupported('echo', 'echo together with logprobs is not supported by the embedded model.');
  }
}

function unsupported(param: string, message: string): PreambleError {
  return new PreambleError('unsupported_parameter', message, {
    action: 'Leave it out, or use a model on another backend.',
    param,
  });
}
