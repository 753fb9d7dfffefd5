import { isObject } from '../../openai/validate.ts';
import { faultType } from '../upstream/fault-type.ts';

/** TGI's words for how a choice ended, where they are not OpenAI's; '' stands in each part but the last. */
const FINISH_REASONS: Readonly<Record<string, string | null>> = {
  eos_token: 'stop',
  stop_sequence: 'stop',
  '': null,
};

/**
 * A part of an answer, or a whole one, in OpenAI's shape; null where it has that already, which most have. What differs: words for how
 * a choice ended, a tool call outside of a list or with its arguments as an object (releases before 3), and errors.
 */
export function inOpenAiShape(value: unknown): unknown {
  if (!isObject(value)) return null;
  if (typeof value['error'] === 'string') return { error: faultOf(value['error'], value['error_type']) };
  if (!Array.isArray(value['choices'])) return null;
  let changed = false;
  const choices = value['choices'].map((choice: unknown) => {
    const shaped = isObject(choice) ? choiceInShape(choice) : null;
    changed ||= shaped !== null;
    return shaped ?? choice;
  });
  return changed ? { ...value, choices } : null;
}

function choiceInShape(choice: Record<string, unknown>): Record<string, unknown> | null {
  const changes: Record<string, unknown> = {};
  const { finish_reason: reason } = choice;
  if (typeof reason === 'string' && Object.hasOwn(FINISH_REASONS, reason)) {
    changes['finish_reason'] = FINISH_REASONS[reason] ?? null;
  }
  for (const name of ['message', 'delta']) {
    const said = choice[name];
    const calls = isObject(said) ? callsInShape(said['tool_calls']) : null;
    if (isObject(said) && calls !== null) changes[name] = { ...said, tool_calls: calls };
  }
  return Object.keys(changes).length === 0 ? null : { ...choice, ...changes };
}

function callsInShape(calls: unknown): unknown[] | null {
  if (calls === undefined || calls === null) return null;
  const list: unknown[] = Array.isArray(calls) ? calls : [calls];
  const shaped = list.map(callInShape);
  return list === calls && shaped.every((call, index) => call === list[index]) ? null : shaped;
}

function callInShape(call: unknown): unknown {
  const described = isObject(call) ? call['function'] : null;
  if (!isObject(call) || !isObject(described) || typeof described['arguments'] === 'string') return call;
  return { ...call, function: { ...described, arguments: JSON.stringify(described['arguments'] ?? {}) } };
}

function faultOf(message: string, kind: unknown) {
  const code = typeof kind === 'string' ? kind : null;
  return { message, type: code === null ? 'server_error' : faultType(code), param: null, code };
}
