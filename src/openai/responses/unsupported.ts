import { PreambleError } from '../../errors.ts';

/** Something of OpenAI's API that a chat model behind a gateway does not have. */
export function unsupported(param: string, problem: string, action: string): PreambleError {
  return new PreambleError('unsupported_parameter', `${problem}.`, { param, action });
}

/** Names that a client made up are shown, within bounds. */
export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

/** Fields that would change what an answer is, and why they cannot here. */
const REFUSED: Readonly<Record<string, string>> = {
  conversation: 'Conversations are not kept here: use previous_response_id, or send the items.',
  prompt: "OpenAI's stored prompts are not known here: send instructions and input.",
  context_management: 'Shorten the conversation yourself.',
  moderation: 'Answers are not moderated here.',
};

/** What `include` can name. Reasoning is not handed out, so nothing of it needs to be carried, which clients ask for by habit. */
const INCLUDABLE: readonly string[] = ['message.output_text.logprobs', 'reasoning.encrypted_content'];

interface Refusable {
  readonly background?: boolean;
  readonly truncation?: string;
  readonly include?: readonly string[];
}

/** Throws `unsupported_parameter` for what would be answered wrongly if it were passed over. */
export function refuseUnsupported(request: Refusable & Readonly<Record<string, unknown>>): void {
  for (const [field, action] of Object.entries(REFUSED)) {
    if ((request[field] ?? null) !== null) throw unsupported(field, `'${field}' is not supported`, action);
  }
  if (request.background === true) {
    throw unsupported('background', 'Answers in the background are not supported', 'Leave it out, and wait or stream.');
  }
  if (request.truncation !== undefined && request.truncation !== 'disabled') {
    throw unsupported('truncation', 'Conversations are not shortened here', "Use 'disabled', and send what fits.");
  }
  request.include?.forEach((name, index) => {
    if (INCLUDABLE.includes(name)) return;
    throw unsupported(`include[${index}]`, `${quote(name)} cannot be included`, `There is: ${INCLUDABLE.join(', ')}.`);
  });
}
