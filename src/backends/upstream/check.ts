import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';
import type { UpstreamServer } from './server.ts';
import type { ServerCall } from './server-json.ts';

/** One thing that was looked at, for `preamble doctor` and for the start. */
export interface Check {
  readonly name:
    | 'version'
    | 'prompt embeddings'
    | 'content parts'
    | 'virtual tokens'
    | 'same as text'
    | 'same as the model';
  /** `warning`: it serves, and should be seen to. */
  readonly outcome: 'ok' | 'warning' | 'failed';
  /** One sentence. */
  readonly finding: string;
  /** What to do about it; null where nothing need be done. */
  readonly action: string | null;
}

export interface CheckContext {
  readonly server: UpstreamServer;
  /** The server's name for the model. */
  readonly model: string;
  readonly call: ServerCall;
  /** Where the model can be computed here too; else absent. */
  readonly reference?: Reference;
}

/** The model's own word, from its files. */
export interface Reference {
  /** The likeliest first tokens of an answer to one question of a user's, under a soft prompt, with their log probabilities. */
  ask(softPrompt: SoftPrompt, position: PromptPosition, question: string): Promise<readonly SpokenToken[]>;
}

export interface SpokenToken {
  readonly text: string;
  readonly logprob: number;
}

export function ok(name: Check['name'], finding: string): Check {
  return { name, outcome: 'ok', finding, action: null };
}

export function failed(name: Check['name'], finding: string, action: string): Check {
  return { name, outcome: 'failed', finding, action };
}
