import { quoteName } from '../quote-name.ts';
import { invalidTorchSave } from './dense-tensor.ts';
import { isKind, type PickleValue } from './pickle-values.ts';

/** The working memory of a pickle's program. What the program cannot have meant throws `format_invalid`. */
export interface PickleStack {
  push(value: PickleValue): void;
  /** The topmost value, but none from below the last mark. */
  pop(): PickleValue;
  mark(): void;
  /** All values above the last mark, in the order of their coming. */
  popMark(): PickleValue[];
  /** Keeps the topmost value under a number. */
  remember(number: number): void;
  /** Pushes what was kept. */
  recall(number: number): void;
  /** Puts keys and values, in turns, into the dict that is topmost. */
  setItems(items: readonly PickleValue[]): void;
  /** The one value that is left at the end. */
  result(): PickleValue;
}

export function createPickleStack(path: string): PickleStack {
  const values: PickleValue[] = [];
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();

  function broken(): Error {
    return invalidTorchSave(path, 'its pickle asks for values that are not there');
  }

  function top(): PickleValue {
    const value = values.at(-1);
    if (value === undefined || values.length <= (marks.at(-1) ?? 0)) throw broken();
    return value;
  }

  function pop(): PickleValue {
    const value = top();
    values.pop();
    return value;
  }

  return {
    push: (value) => values.push(value),
    pop,
    mark: () => marks.push(values.length),
    popMark() {
      const start = marks.pop();
      if (start === undefined) throw broken();
      return values.splice(start);
    },
    remember: (number) => memo.set(number, top()),
    recall(number) {
      const value = memo.get(number);
      if (value === undefined) throw broken();
      values.push(value);
    },
    setItems(items) {
      const dict = top();
      if (!isKind(dict, 'dict') || items.length % 2 !== 0) throw broken();
      for (let index = 0; index < items.length; index += 2) {
        const [key, value] = items.slice(index, index + 2);
        if (typeof key !== 'string' || value === undefined) {
          throw invalidTorchSave(path, 'a dict in its pickle has keys that are no text');
        }
        if (dict.entries.has(key))
          throw invalidTorchSave(path, `a dict in its pickle has the key ${quoteName(key)} twice`);
        dict.entries.set(key, value);
      }
    },
    result() {
      const value = pop();
      if (values.length > 0 || marks.length > 0) throw invalidTorchSave(path, 'its pickle leaves values over');
      return value;
    },
  };
}
