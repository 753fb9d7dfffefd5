import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, Backend, Call } from '../backends/backend.ts';
import type { Gateway } from '../gateway.ts';
import type { CompletionUsage } from '../openai/answer.ts';
import { toErrorResponse } from '../openai/error-body.ts';
import { refuseClientEmbeddings } from '../openai/hostile.ts';
import { logError } from '../plugins/errors.ts';
import { elapsedSince } from '../plugins/timing.ts';
import { decidePlan, modelNotFound, promptLabelOf } from '../policy/decide-plan.ts';
import { sendEvents } from './event-stream.ts';
import { createWatch, type Watch } from './watch.ts';

/** Until tenants can be configured everyone is this one. */
const TENANT = 'default';

interface AnyRequest {
  model: string;
  stream?: boolean;
  stream_options?: { include_usage?: boolean | null };
}

interface AnyAnswer {
  choices: unknown[];
  usage?: CompletionUsage | null;
}

/** What differs between chat completions and completions on the way of a request. */
export interface Surface<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer> {
  /** Throws `invalid_request`. */
  parse(body: unknown): Request;
  countChoices(request: Request): number;
  /** What `log.content` shows of the request. */
  content(request: Request): unknown;
  call(backend: Backend, call: Call<Request>): Promise<Answer<Whole, Part>>;
  watchWhole(body: Whole, watch: Watch): void;
  watchPart(part: Part, watch: Watch): void;
}

/** The way of a request, from its body to the end of its answer. */
export function answering<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  gateway: Gateway,
  surface: Surface<Request, Whole, Part>,
) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    refuseClientEmbeddings(request.body);
    const asked = surface.parse(request.body);
    const plan = decidePlan(gateway.policy, asked, TENANT);
    const backend = gateway.backends.get(asked.model);
    if (backend === undefined) throw modelNotFound(asked.model, [...gateway.backends.keys()]);
    reply.header('x-preamble-prompt', promptLabelOf(plan));

    const watch = createWatch({
      requestId: request.id,
      plan,
      stream: asked.stream === true,
      choices: surface.countChoices(asked),
      arrivedAt: request.arrivedAt,
      detector: gateway.detector,
      // Not the request's own, which would say the request id a second time.
      log: request.server.log,
      content: gateway.logContent ? surface.content(asked) : undefined,
    });
    const call = { id: request.id, request: asked, plan, signal: request.cancellation };
    let answer: Answer<Whole, Part>;
    try {
      answer = await watch.waiting(surface.call(backend, call));
    } catch (error) {
      // What was begun and broke off has a decision, `unknown`; what was turned away has none.
      if (request.cancellation.aborted) watch.end();
      throw error;
    }

    if (answer.kind === 'whole') {
      if (answer.body.usage) watch.usage(answer.body.usage);
      surface.watchWhole(answer.body, watch);
      watch.end();
      return answer.body;
    }
    reply.header('openai-processing-ms', elapsedSince(request.arrivedAt));
    const wantsUsage = asked.stream_options?.include_usage === true;
    try {
      await sendEvents(reply, watched(answer.parts, wantsUsage, surface, watch), {
        stalledClientSeconds: gateway.limits.stalledClientSeconds,
        waiting: watch.waiting,
        onError: (error) => logError(error, toErrorResponse(error).status, request),
      });
    } finally {
      watch.end();
    }
    return reply;
  };
}

/** The parts as the client gets them, read along on their way. Token counts are always asked of the backend, not always passed on. */
async function* watched<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  parts: AsyncIterable<Part>,
  wantsUsage: boolean,
  surface: Surface<Request, Whole, Part>,
  watch: Watch,
): AsyncGenerator<Part> {
  const iterator = parts[Symbol.asyncIterator]();
  try {
    while (true) {
      const next = await watch.waiting(iterator.next());
      if (next.done === true) return;
      const part = next.value;
      if (part.usage) watch.usage(part.usage);
      surface.watchPart(part, watch);
      if (wantsUsage || !part.usage || part.choices.length > 0) yield part;
    }
  } finally {
    await iterator.return?.();
  }
}
