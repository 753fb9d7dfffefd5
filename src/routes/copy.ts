import type { FastifyRequest } from 'fastify';
import type { Answer } from '../backends/backend.ts';
import { PreambleError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { relayedParts } from '../openai/relayed-parts.ts';
import type { Plan } from '../policy/plan.ts';
import { type Outcome, outcomeOfAnswer } from '../rollout/outcome.ts';
import type { AnswerSummary } from '../telemetry/observations.ts';
import { type AnyAnswer, type AnyRequest, type Surface, waitedFor, watchOnePart, watchWholeBody } from './answering.ts';
import { relayWhole } from './relay.ts';
import { createWatch, type Watch } from './watch.ts';

/** A request that was answered, and is asked again. */
export interface Copied<Request> {
  readonly request: FastifyRequest;
  readonly asked: Request;
  readonly body: Uint8Array;
  /** The candidate is its prompt. */
  readonly plan: Plan;
}

const FAILED: Outcome = { failed: true, refused: false, ms: 0, characters: 0 };

/**
 * Asks the backend once more, with the candidate in front, reads the answer to its end and gives it to nobody: it is judged, logged as a decision
 * (`shadow`) and counted against no limit of its tenant.
 */
export async function answerCopy<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  gateway: Gateway,
  surface: Surface<Request, Whole, Part>,
  { request, asked, body, plan }: Copied<Request>,
  stopping: AbortSignal,
): Promise<Outcome | null> {
  const { id, server } = request;
  // The request's own snapshot was given back with its answer.
  const snapshot = gateway.hold();
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(gateway.limits.requestSeconds * 1000)]);
  let summary: AnswerSummary | null = null;
  let watch: Watch | null = null;
  try {
    const backend = snapshot.backends.get(plan.entry);
    if (backend === undefined || server.draining) return null;
    watch = createWatch({
      requestId: id,
      plan,
      stream: asked.stream === true,
      choices: surface.countChoices(asked),
      arrivedAt: performance.now(),
      detector: gateway.detector,
      log: server.log,
      content: undefined,
      // Nobody gets the answer.
      guarding: null,
      onRead() {},
      onEnd(ended) {
        summary = ended;
        for (const record of ended.decisions) gateway.observations.decisionMade({ plan, record, content: null });
      },
    });
    const answer = await watch.waiting(
      surface.call(backend, { id, request: asked, body, plan, traceHeaders: {}, signal }),
    );
    await readAlong(answer, surface, watch);
    watch.end();
    return summary === null ? null : outcomeOfAnswer(summary);
  } catch (error) {
    if (stopping.aborted) return null;
    // What the backend turned away (a full queue) says nothing of the prompt.
    return error instanceof PreambleError && error.status < 500 ? null : FAILED;
  } finally {
    if (watch !== null && summary === null && signal.aborted) watch.end();
    gateway.release(snapshot);
  }
}

async function readAlong<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  answer: Answer<Whole, Part>,
  surface: Surface<Request, Whole, Part>,
  watch: Watch,
): Promise<void> {
  if (answer.kind === 'whole') {
    if (answer.body.usage) watch.usage(answer.body.usage);
    surface.watchWhole(answer.body, watch);
  } else if (answer.kind === 'stream') {
    for await (const part of waitedFor(answer.parts, watch)) watchOnePart(part, true, surface, watch);
  } else if (answer.events) {
    for await (const value of waitedFor(relayedParts(answer.body), watch)) {
      const part = surface.readPart(value);
      if (part !== null) watchOnePart(part, true, surface, watch);
    }
  } else {
    await watch.waiting(relayWhole(answer, (whole) => watchWholeBody(whole, surface, watch)));
  }
}
