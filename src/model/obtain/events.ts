/** What obtaining a model reports while it runs, for a terminal or a log. */
export type ModelEvent =
  /** Something a person should know, one line. */
  | { kind: 'notice'; message: string }
  /** `done` of `total` bytes of one step; a step begins with its first event and ends when both are equal. */
  | { kind: 'progress'; step: ModelStep; name: string; done: number; total: number };

export type ModelStep = 'download' | 'unpack' | 'convert' | 'check' | 'measure' | 'write';

export interface ObtainContext {
  onEvent: (event: ModelEvent) => void;
  signal: AbortSignal | undefined;
}

/** What one source reports: bytes done of bytes in all. */
export type ByteProgress = (done: number, total: number) => void;

export function byteProgress(context: ObtainContext, step: ModelStep, name: string): ByteProgress {
  return (done, total) => context.onEvent({ kind: 'progress', step, name, done, total });
}
