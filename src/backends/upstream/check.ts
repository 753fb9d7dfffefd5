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
}

export function ok(name: Check['name'], finding: string): Check {
  return { name, outcome: 'ok', finding, action: null };
}

export function failed(name: Check['name'], finding: string, action: string): Check {
  return { name, outcome: 'failed', finding, action };
}
