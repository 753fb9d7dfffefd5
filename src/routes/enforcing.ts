import type { FastifyRequest } from 'fastify';
import { PreambleError } from '../errors.ts';
import { createGuarding, type Guarding } from '../guard/guarding.ts';
import { promptLabelOf } from '../policy/decide-plan.ts';
import type { Plan } from '../policy/plan.ts';

/** An answer that is judged before, or while, the client gets it. */
export interface Enforcing {
  readonly guarding: Guarding;
  /** How many the request asks for. */
  readonly choices: number;
  /** Fires when nobody will read what the model goes on to say, and when the request is given up. */
  readonly signal: AbortSignal;
  giveUp(): void;
}

/** The guard beside the answer to a request; null where none is configured. */
export function startGuarding({ id, snapshot, cancellation }: FastifyRequest, plan: Plan): Guarding | null {
  const { guard } = snapshot;
  if (guard === null) return null;
  const { tenant, model, mode } = plan;
  const answer = { requestId: id, tenant, model, prompt: promptLabelOf(plan), signal: cancellation };
  return createGuarding(guard, answer, mode === 'enforce');
}

/** Null where the guard only reads along. */
export function startEnforcing(guarding: Guarding | null, choices: number): Enforcing | null {
  if (guarding?.enforces !== true) return null;
  const cutting = new AbortController();
  const giveUp = () => cutting.abort(new PreambleError('cancelled', 'The guard cut the answer.'));
  return { guarding, choices, giveUp, signal: AbortSignal.any([guarding.signal, cutting.signal]) };
}
