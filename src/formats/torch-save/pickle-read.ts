import { quoteName } from '../quote-name.ts';
import { invalidTorchSave } from './dense-tensor.ts';
import { callResult, storageOf } from './pickle-calls.ts';
import { createPickleCursor } from './pickle-cursor.ts';
import { isAllowedGlobal } from './pickle-globals.ts';
import { opcodeName, PICKLE_PROTOCOL, type PickleOpcode, pickleOpcodes } from './pickle-opcodes.ts';
import { createPickleStack } from './pickle-stack.ts';
import type { PickleValue } from './pickle-values.ts';

/** For one tensor torch writes about 170 bytes. What a program can make us keep is at most some tens of times its own length. */
const MAX_PROGRAM_BYTES = 4096;

/**
 * What a pickle describes, read as data. It knows the opcodes that torch.save needs for a tensor or a dict of them, and five names
 * (`pickle-globals.ts`); any other opcode or name is refused by its name, and nothing is ever called. `path` is named in errors.
 * Throws `format_invalid`.
 */
export function readPickle(program: Uint8Array, path: string): PickleValue {
  if (program.length > MAX_PROGRAM_BYTES) {
    throw invalidTorchSave(
      path,
      `its pickle has ${program.length} bytes, more than the ${MAX_PROGRAM_BYTES} for one tensor`,
    );
  }
  const cursor = createPickleCursor(program, path);
  const stack = createPickleStack(path);
  const { push, pop, popMark } = stack;

  const steps: Partial<Record<PickleOpcode, () => void>> = {
    MARK: () => stack.mark(),
    GLOBAL: () => push(globalOf(cursor.line(), cursor.line(), path)),
    BINUNICODE: () => push(cursor.text()),
    BININT: () => push(cursor.int32()),
    BININT1: () => push(cursor.uint8()),
    BININT2: () => push(cursor.uint16()),
    NEWTRUE: () => push(true),
    NEWFALSE: () => push(false),
    EMPTY_TUPLE: () => push({ kind: 'tuple', items: [] }),
    EMPTY_DICT: () => push({ kind: 'dict', entries: new Map() }),
    TUPLE: () => push({ kind: 'tuple', items: popMark() }),
    TUPLE1: () => push({ kind: 'tuple', items: [pop()] }),
    TUPLE2: () => push({ kind: 'tuple', items: [pop(), pop()].reverse() }),
    TUPLE3: () => push({ kind: 'tuple', items: [pop(), pop(), pop()].reverse() }),
    SETITEM: () => stack.setItems([pop(), pop()].reverse()),
    SETITEMS: () => stack.setItems(popMark()),
    BINPERSID: () => push(storageOf(pop(), path)),
    REDUCE() {
      const argumentTuple = pop();
      push(callResult(pop(), argumentTuple, path));
    },
    BINPUT: () => stack.remember(cursor.uint8()),
    LONG_BINPUT: () => stack.remember(cursor.uint32()),
    BINGET: () => stack.recall(cursor.uint8()),
    LONG_BINGET: () => stack.recall(cursor.uint32()),
  };
  const stepOf = new Map(Object.entries(steps));

  if (cursor.uint8() !== pickleOpcodes.PROTO || cursor.uint8() !== PICKLE_PROTOCOL) {
    throw invalidTorchSave(path, `its pickle is not in protocol ${PICKLE_PROTOCOL}, which torch.save writes`);
  }
  for (let opcode = cursor.uint8(); opcode !== pickleOpcodes.STOP; opcode = cursor.uint8()) {
    const name = opcodeName(opcode);
    const step = stepOf.get(name);
    if (step === undefined) {
      throw invalidTorchSave(path, `its pickle holds the opcode ${name}, which one tensor does not need`);
    }
    step();
  }
  if (cursor.remaining > 0) throw invalidTorchSave(path, 'its pickle goes on behind its end');
  return stack.result();
}

function globalOf(module: string, name: string, path: string): PickleValue {
  const whole = `${module}.${name}`;
  // A dot in the name would be a second way to spell the same.
  if (isAllowedGlobal(whole) && !name.includes('.')) return { kind: 'global', name: whole };
  const what = /^torch\.\w+Storage$/.test(whole) ? 'is not bfloat16, float16 or float32' : 'one tensor does not need';
  throw invalidTorchSave(path, `its pickle names ${quoteName(whole)}, which ${what}`);
}
