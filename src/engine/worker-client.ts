import { Worker } from 'node:worker_threads';
import { PreambleError } from '../errors.ts';
import { workerUrl } from '../worker-url.ts';
import type { FinishReason, GeneratedToken } from './generation.ts';
import type { FromWorker, ToWorker, WorkerOptions, WorkerRequest } from './messages.ts';
import { fromFailure, toFailure } from './worker-failure.ts';

export type SequenceEvent =
  | { type: 'started'; cachedTokens: number }
  | { type: 'token'; token: GeneratedToken; finishReason: FinishReason | null };

export interface WorkerClient {
  readonly contextLength: number;
  /** Ends after the token that has a finish reason. Aborting, or leaving the loop, cancels the sequence in the worker. */
  generate(request: WorkerRequest, signal: AbortSignal): AsyncIterable<SequenceEvent>;
  close(): Promise<void>;
}

interface Mailbox {
  deliver(event: SequenceEvent): void;
  fail(error: Error): void;
}

const WORKER_URL = workerUrl('worker', import.meta.url);

/** Resolves once the model is loaded in its own thread, so that loading and computing never hold up the event loop. */
export async function startWorker(options: WorkerOptions): Promise<WorkerClient> {
  const worker = new Worker(WORKER_URL, { workerData: options });
  const mailboxes = new Map<string, Mailbox>();
  let failure: Error | null = null;
  let closing = false;

  const send = (message: ToWorker) => worker.postMessage(message);
  const failAll = (error: Error) => {
    failure = error;
    for (const mailbox of mailboxes.values()) mailbox.fail(error);
    mailboxes.clear();
  };
  const ready = new Promise<Extract<FromWorker, { type: 'ready' }>>((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'ready') resolve(message);
      else if (message.type === 'unusable') reject(fromFailure(message.error));
      else dispatch(message);
    });
    worker.on('error', (error) => {
      const wrapped = fromFailure(toFailure(error));
      reject(wrapped);
      failAll(wrapped);
    });
    worker.on('exit', (code) => {
      const error = new PreambleError('internal', `The engine's thread ended with code ${code}`);
      reject(error);
      if (!closing) failAll(error);
    });
  });

  function dispatch(message: Exclude<FromWorker, { type: 'ready' | 'unusable' }>): void {
    if (message.type === 'started')
      mailboxes.get(message.id)?.deliver({ type: 'started', cachedTokens: message.cachedTokens });
    else if (message.type === 'failed') mailboxes.get(message.id)?.fail(fromFailure(message.error));
    else {
      for (const { id, token, finishReason } of message.tokens) {
        mailboxes.get(id)?.deliver({ type: 'token', token, finishReason });
      }
      send({ type: 'taken' });
    }
  }

  async function* generate(request: WorkerRequest, signal: AbortSignal): AsyncGenerator<SequenceEvent> {
    if (failure !== null) throw failure;
    const events: SequenceEvent[] = [];
    let error: Error | null = null;
    let finished = false;
    let wake = () => {};
    mailboxes.set(request.id, {
      deliver(event) {
        events.push(event);
        wake();
      },
      fail(reason) {
        error = reason;
        wake();
      },
    });
    const onAbort = () => wake();
    signal.addEventListener('abort', onAbort);
    send({ type: 'generate', request });
    try {
      while (!finished) {
        signal.throwIfAborted();
        const event = events.shift();
        if (event !== undefined) {
          finished = event.type === 'token' && event.finishReason !== null;
          yield event;
        } else if (error !== null) {
          throw error;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      mailboxes.delete(request.id);
      if (!finished) send({ type: 'cancel', id: request.id });
    }
  }

  try {
    const { contextLength } = await ready;
    return {
      contextLength,
      generate,
      async close() {
        closing = true;
        failAll(new PreambleError('shutting_down', 'The engine is closing.'));
        const exited = new Promise((resolve) => worker.once('exit', resolve));
        send({ type: 'close' });
        await exited;
      },
    };
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}
