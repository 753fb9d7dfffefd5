import { PreambleError } from '../../errors.ts';

/** For servers that take an assistant's message at the end for the beginning of their answer. Throws `unsupported_parameter`. */
export function refuseContinuation(request: object): void {
  const messages: unknown = Reflect.get(request, 'messages');
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : null;
  if (typeof last !== 'object' || last === null || Reflect.get(last, 'role') !== 'assistant') return;
  throw new PreambleError('unsupported_parameter', "The last of 'messages' may not be the assistant's here.", {
    action: 'End with a user message: the model server would go on with the words.',
    param: 'messages',
  });
}
