import Type from 'typebox';
import { Compile } from 'typebox/compile';

const textOrNull = Type.Union([Type.String(), Type.Null()]);
const numberOrNull = Type.Union([Type.Number({ minimum: 0 }), Type.Null()]);

const decisionSchema = Type.Object({
  event: Type.Literal('refusal.decision'),
  time: Type.Number(),
  tenant: Type.String(),
  model: Type.String(),
  prompt: Type.Union([Type.Object({ name: Type.String(), version: Type.String() }), Type.Null()]),
  variant: Type.String(),
  choice: Type.Integer({ minimum: 0 }),
  decision: Type.Enum(['refused', 'partial', 'complied', 'empty', 'filtered', 'unknown']),
  completionTokens: numberOrNull,
  firstTokenMs: numberOrNull,
  totalMs: Type.Number({ minimum: 0 }),
  gatewayMs: Type.Number({ minimum: 0 }),
});

const requestSchema = Type.Object({
  event: Type.Literal('request'),
  time: Type.Number(),
  status: Type.Integer(),
  result: Type.Enum(['ok', 'rejected', 'failed', 'cancelled']),
  tenant: textOrNull,
  model: textOrNull,
  prompt: textOrNull,
  variant: textOrNull,
});

export type DecisionLine = Type.Static<typeof decisionSchema>;
export type RequestLine = Type.Static<typeof requestSchema>;

export type LogLine = DecisionLine | RequestLine | 'other' | 'broken';

const decisions = Compile(decisionSchema);
const requests = Compile(requestSchema);

/**
 * One line of a gateway's log; `other` is one that is whole and about something else. What container runtimes put in front of a line
 * (a time, a stream, a name) is passed over.
 */
export function parseLogLine(text: string): LogLine {
  const value = parse(text.slice(Math.max(0, text.indexOf('{'))));
  if (typeof value !== 'object' || value === null || !('level' in value)) return 'broken';
  const event = 'event' in value ? value.event : null;
  if (event === 'refusal.decision') return decisions.Check(value) ? value : 'broken';
  if (event === 'request') return requests.Check(value) ? value : 'broken';
  return 'other';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
