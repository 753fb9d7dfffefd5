import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, Backend, Call } from '../backends/backend.ts';
import { PreambleError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { admit, isLimited } from '../limits/admission.ts';
import { estimateAnswerTokens, estimatePromptTokens } from '../limits/estimate-tokens.ts';
import type { CompletionUsage } from '../openai/answer.ts';
import type { AnswerShape } from '../openai/answer-shape.ts';
import { refuseClientEmbeddings } from '../openai/hostile.ts';
import { failStream } from '../plugins/errors.ts';
import { elapsedSince } from '../plugins/timing.ts';
import { decidePlan, promptLabelOf } from '../policy/decide-plan.ts';
import { findModel } from '../policy/find-model.ts';
import type { Conversation } from '../policy/rollout.ts';
import type { Operation } from '../telemetry/tracing.ts';
import { answerCopy } from './copy.ts';
import { type Enforcing, startEnforcing, startGuarding } from './enforcing.ts';
import { type EventStreamOptions, sendEvents } from './event-stream.ts';
import { guardedParts, guardedWhole, judgedToo } from './guarded.ts';
import { relayEvents, relayWhole } from './relay.ts';
import { createWatch, type Watch } from './watch.ts';

const NOTHING = {};

export interface AnyRequest {
  model: string;
  stream?: boolean;
  max_tokens?: number;
  max_completion_tokens?: number;
  stream_options?: { include_usage?: boolean | null };
}

export interface AnyAnswer {
  choices: { index: number; finish_reason?: string | null }[];
  usage?: CompletionUsage | null;
}

/** What differs between chat completions and completions on the way of a request. */
export interface Surface<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer> {
  readonly operation: Operation;
  readonly shape: AnswerShape;
  /** Throws `invalid_request`. */
  parse(body: unknown): Request;
  countChoices(request: Request): number;
  /** What `log.content` shows of the request. */
  content(request: Request): unknown;
  /** What tells its conversation from others. */
  conversation(request: Request): Conversation;
  call(backend: Backend, call: Call<Request>): Promise<Answer<Whole, Part>>;
  /** A relayed answer's JSON, where it has the expected shape; else null, and nothing is read from it. */
  readWhole(body: unknown): Whole | null;
  readPart(part: unknown): Part | null;
  watchWhole(body: Whole, watch: Watch): void;
  watchPart(part: Part, watch: Watch): void;
}

/** A request that a backend has begun to answer. */
export interface Begun<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer> {
  readonly answer: Answer<Whole, Part>;
  /** What the answer is to be read with. */
  readonly surface: Surface<Request, Whole, Part>;
  /** Null unless the answer is to be judged before, or while, the client gets it. */
  readonly enforcing: Enforcing | null;
  /** Its `end()` is the caller's to call, however the answer ends. */
  readonly watch: Watch;
  /** OpenAI's `x-ratelimit-…` of the tenant's own limits; null where it has none. */
  readonly limitHeaders: Record<string, string> | null;
}

/** The way of a request, from its body to the end of its answer. */
export function answering<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  gateway: Gateway,
  surface: Surface<Request, Whole, Part>,
) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    refuseClientEmbeddings(request.body);
    const asked = surface.parse(request.body);
    const begun = await begin(gateway, surface, { request, reply, asked, body: request.rawBody });
    try {
      return await deliver(gateway, { request, reply, asked }, begun);
    } finally {
      begun.watch.end();
    }
  };
}

export interface Exchange<Request> {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly asked: Request;
}

/** Decides what stands in front, and asks the backend. Throws what these throw; what broke off has then been logged as a decision. */
export async function begin<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  gateway: Gateway,
  surface: Surface<Request, Whole, Part>,
  { request, reply, asked, body }: Exchange<Request> & { readonly body: Uint8Array },
): Promise<Begun<Request, Whole, Part>> {
  const { tenant } = request;
  const { policy, backends, logContent } = request.snapshot;
  const found = findModel(asked.model, policy, backends, tenant);
  const plan = decidePlan(policy, {
    model: asked.model,
    found,
    tenant,
    conversation: () => surface.conversation(asked),
  });
  request.observed.planned(plan);
  const backend = backends.get(found.entry);
  if (backend === undefined) throw new PreambleError('internal', `${found.entry} has no backend.`);
  reply.header('x-preamble-prompt', promptLabelOf(plan));
  const choices = surface.countChoices(asked);
  const content = surface.content(asked);
  const admission = isLimited(tenant.limits)
    ? await admit(gateway.counters, {
        tenant,
        promptTokens: estimatePromptTokens(body.length, content),
        answerTokens: estimateAnswerTokens(asked.max_completion_tokens ?? asked.max_tokens, choices),
        leaseMs: leaseMs(gateway.limits),
        onHeaders: (headers) => reply.headers(headers),
      })
    : null;

  const guarding = startGuarding(request, plan);
  const watch = createWatch({
    requestId: request.id,
    plan,
    stream: asked.stream === true,
    choices,
    arrivedAt: request.arrivedAt,
    detector: gateway.detector,
    // Not the request's own, which would say the request id a second time.
    log: request.server.log,
    content: logContent || tenant.logContent ? content : undefined,
    guarding,
    onRead: (end) => admission?.settle(end),
    onEnd(summary) {
      request.observed.answered(summary);
    },
  });
  request.observed.asked();
  const traceHeaders = request.trace?.asking(surface.operation, plan) ?? NOTHING;
  const candidate = plan.rollout?.shadow ?? null;
  if (candidate !== null) {
    const copied = { request, asked, body, plan: { ...plan, variant: 'shadow', prompt: candidate } } as const;
    gateway.rollouts?.offerCopy(request.id, (stopping) => answerCopy(gateway, surface, copied, stopping));
  }
  const enforcing = startEnforcing(guarding, choices);
  const signal = enforcing?.signal ?? request.cancellation;
  const call = { id: request.id, request: asked, body, plan, traceHeaders, signal };
  try {
    const answer = await watch.waiting(surface.call(backend, call));
    return {
      answer,
      watch,
      limitHeaders: admission?.headers ?? null,
      enforcing,
      surface: guarding === null || enforcing !== null ? surface : judgedToo(surface, guarding),
    };
  } catch (error) {
    // What was begun and broke off has a decision, `unknown`; what was turned away has none.
    if (request.cancellation.aborted) watch.end();
    else {
      admission?.settle(null);
      request.observed.abandoned();
    }
    throw error;
  }
}

/** Longer than any answer may take: until it is cut off for its length, then until a client that does not read is let go. */
function leaseMs({ requestSeconds, stalledClientSeconds }: Gateway['limits']): number {
  return (requestSeconds + stalledClientSeconds + 60) * 1000;
}

async function deliver<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  gateway: Gateway,
  { request, reply, asked }: Exchange<Request>,
  { answer, watch, limitHeaders, enforcing, surface }: Begun<Request, Whole, Part>,
): Promise<unknown> {
  if (answer.kind === 'whole') {
    if (answer.body.usage) watch.usage(answer.body.usage);
    surface.watchWhole(answer.body, watch);
    return enforcing === null
      ? answer.body
      : ((await guardedWhole(answer.body, surface, watch, enforcing)) ?? answer.body);
  }
  // The model server's own limits are the operator's; a tenant with limits of its own sees those.
  if (answer.kind === 'relayed') reply.headers({ ...answer.headers, ...limitHeaders });
  if (answer.kind === 'relayed' && !answer.events) {
    let whole: Whole | null = null;
    const bytes = await watch.waiting(
      relayWhole(answer, (body) => {
        whole = watchWholeBody(body, surface, watch);
      }),
    );
    const instead = enforcing === null ? null : await guardedWhole(whole, surface, watch, enforcing);
    return reply.code(answer.status).send(instead ?? bytes);
  }
  reply.header('openai-processing-ms', elapsedSince(request.arrivedAt));
  const wantsUsage = asked.stream_options?.include_usage === true;
  const options: EventStreamOptions = {
    stalledClientSeconds: gateway.limits.stalledClientSeconds,
    waiting: watch.waiting,
    onError: (error) => failStream(error, request),
  };
  if (enforcing !== null) {
    const parts = guardedParts(answer, { surface, watch, enforcing, wantsUsage });
    await sendEvents(reply, parts, { ...options, silent: enforcing.guarding.policy.holdsBack });
  } else if (answer.kind === 'stream')
    await sendEvents(reply, watched(answer.parts, wantsUsage, surface, watch), options);
  else await relayEvents(reply, answer, (part) => keepsPart(part, wantsUsage, surface, watch), options);
  return reply;
}

/** The parts as the client gets them, read along on their way. Token counts are always asked of the backend, not always passed on. */
async function* watched<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  parts: AsyncIterable<Part>,
  wantsUsage: boolean,
  surface: Surface<Request, Whole, Part>,
  watch: Watch,
): AsyncGenerator<Part> {
  for await (const part of waitedFor(parts, watch)) {
    if (watchOnePart(part, wantsUsage, surface, watch)) yield part;
  }
}

/** The same, each wait for the next counted as the backend's time. */
export async function* waitedFor<Part>(parts: AsyncIterable<Part>, watch: Watch): AsyncGenerator<Part> {
  const iterator = parts[Symbol.asyncIterator]();
  try {
    while (true) {
      const next = await watch.waiting(iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

export function watchWholeBody<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  body: unknown,
  surface: Surface<Request, Whole, Part>,
  watch: Watch,
): Whole | null {
  const whole = surface.readWhole(body);
  if (whole === null) return null;
  if (whole.usage) watch.usage(whole.usage);
  surface.watchWhole(whole, watch);
  return whole;
}

/** What has not the expected shape (an error in mid-stream, say) is the client's to read. */
function keepsPart<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  part: unknown,
  wantsUsage: boolean,
  surface: Surface<Request, Whole, Part>,
  watch: Watch,
): boolean {
  const known = surface.readPart(part);
  return known === null || watchOnePart(known, wantsUsage, surface, watch);
}

export function watchOnePart<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  part: Part,
  wantsUsage: boolean,
  surface: Surface<Request, Whole, Part>,
  watch: Watch,
): boolean {
  if (part.usage) watch.usage(part.usage);
  surface.watchPart(part, watch);
  return wantsUsage || !part.usage || part.choices.length > 0;
}
