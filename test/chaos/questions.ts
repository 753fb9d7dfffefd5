import type { Draws } from './draws.ts';

/** How a client behaves, and which of the APIs it speaks. */
export interface Question {
  readonly id: string;
  readonly model: string;
  readonly path: string;
  readonly key: string;
  readonly stream: boolean;
  /** It is answered with a refusal. */
  readonly refusal: boolean;
  /** The answer has megabytes. */
  readonly long: boolean;
  readonly client: 'reads' | 'slow' | 'leaves';
  readonly body: string;
}

const REFUSAL = "I'm sorry, but I can't help with that.";
/** More than the sockets on the way hold together. */
const LONG_WORDS = 150_000;
const WORDS = 12;

export function drawQuestion(draws: Draws, id: string, keys: readonly string[]): Question {
  const responses = draws.chance(0.15);
  const stream = draws.chance(0.6);
  const model = draws.chance(0.3) ? 'pinned' : 'chat';
  const client = draws.chance(0.06) ? 'leaves' : draws.chance(0.08) ? 'slow' : 'reads';
  const question = {
    id,
    model,
    stream,
    client,
    path: responses ? '/v1/responses' : '/v1/chat/completions',
    key: draws.pick(keys),
    refusal: draws.chance(0.2),
    long: stream && client === 'slow',
  } as const;
  const text = `Question ${id}${question.refusal ? ' refused' : ''}${question.long ? ' long' : ''}`;
  const asked = responses ? { input: text } : { messages: [{ role: 'user', content: text }] };
  return { ...question, body: JSON.stringify({ model, stream, ...asked }) };
}

/** What the model says to it; null for what is no question of ours. */
export function answerTo(body: string): string[] | null {
  const found = /Question ([\w-]+)( refused)?( long)?/.exec(body);
  if (found === null) return null;
  const [, id = '', refusal, long] = found;
  return words(id, refusal !== undefined, long !== undefined);
}

export const wholeAnswer = ({ id, refusal, long }: Question) => words(id, refusal, long).join('');

/** Pieces of the answer, of which each one that is streamed is an event. */
function words(id: string, refusal: boolean, long: boolean): string[] {
  const opening = refusal ? `${REFUSAL} (${id})` : `Here is what you need, ${id}:`;
  if (!long) return [opening, ...Array.from({ length: WORDS }, (_, index) => ` word${index}`)];
  // A thousand words an event.
  return [opening, ...Array.from({ length: LONG_WORDS / 1000 }, () => ' tomato'.repeat(1000))];
}
