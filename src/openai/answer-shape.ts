import { isObject } from './validate.ts';

/** What a guard has to know of one surface's choices: what they say, and what takes their place. */
export interface AnswerShape {
  /** All that a choice, or a part of one, gives its reader to read or to act on. */
  textOf(choice: object): string;
  /** The last part of a choice in a stream; `opens`: the client has got nothing of it. */
  lastPart(index: number, text: string, opens: boolean): object;
  /** A choice of a whole answer. */
  wholeChoice(index: number, text: string): object;
}

const CUT = { logprobs: null, finish_reason: 'content_filter' } as const;

export const chatShape: AnswerShape = {
  textOf(choice) {
    const spoken: unknown = 'delta' in choice ? choice.delta : 'message' in choice ? choice.message : null;
    if (!isObject(spoken)) return '';
    // Reasoning goes by two names (vLLM, SGLang, llama.cpp); a function call by an old and a new one.
    const texts = [spoken['reasoning_content'], spoken['reasoning'], spoken['content'], spoken['refusal']];
    const calls = Array.isArray(spoken['tool_calls']) ? spoken['tool_calls'] : [];
    return [...texts, argumentsOf({ function: spoken['function_call'] }), ...calls.map(argumentsOf)]
      .filter((text) => typeof text === 'string')
      .join('');
  },
  lastPart: (index, text, opens) => ({
    index,
    delta: opens ? { role: 'assistant', content: text } : { content: text },
    ...CUT,
  }),
  wholeChoice: (index, text) => ({ index, message: { role: 'assistant', content: text, refusal: null }, ...CUT }),
};

function argumentsOf(call: unknown): unknown {
  if (!isObject(call)) return null;
  if (isObject(call['custom'])) return call['custom']['input'];
  return isObject(call['function']) ? call['function']['arguments'] : null;
}

export const completionShape: AnswerShape = {
  textOf: (choice) => ('text' in choice && typeof choice.text === 'string' ? choice.text : ''),
  lastPart: (index, text) => ({ index, text, ...CUT }),
  wholeChoice: (index, text) => ({ index, text, ...CUT }),
};

/** What every part of an answer repeats. Servers put more there (a whole answer once more, even), which must not come with one that was cut. */
const HEAD = ['id', 'object', 'created', 'model', 'system_fingerprint'] as const;

/** A whole answer, or a part of one, with these choices in place of its own. */
export function withChoices(answer: object, choices: readonly object[]): object {
  const head = HEAD.flatMap((name) => (name in answer ? [[name, Reflect.get(answer, name)]] : []));
  return { ...Object.fromEntries(head), choices, ...('usage' in answer ? { usage: answer.usage } : {}) };
}
