import type { DenseDtype, DenseTensor } from './dense-tensor.ts';
import { globalFor, ORDERED_DICT, type PickleGlobalName, REBUILD_TENSOR } from './pickle-globals.ts';
import { PICKLE_PROTOCOL, type PickleOpcode, pickleOpcodes } from './pickle-opcodes.ts';

/** The one storage of the archive: the file `data/0`. */
export const STORAGE_KEY = '0';

/**
 * The program that torch.save writes for one contiguous matrix, without the opcodes that remember values nobody asks for again:
 * `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)`.
 */
export function tensorProgram({ dtype, rows, columns }: DenseTensor): Uint8Array {
  return Buffer.concat([
    op('PROTO', Buffer.of(PICKLE_PROTOCOL)),
    global(REBUILD_TENSOR),
    op('MARK'),
    storage(dtype, rows * columns),
    integer(0),
    pair(rows, columns),
    pair(columns, 1),
    op('NEWFALSE'),
    global(ORDERED_DICT),
    op('EMPTY_TUPLE'),
    op('REDUCE'),
    op('TUPLE'),
    op('REDUCE'),
    op('STOP'),
  ]);
}

/** A persistent id: `('storage', type, key, location, number of elements)`. */
function storage(dtype: DenseDtype, elements: number): Buffer {
  const id = [text('storage'), global(globalFor(dtype)), text(STORAGE_KEY), text('cpu'), integer(elements)];
  return Buffer.concat([op('MARK'), ...id, op('TUPLE'), op('BINPERSID')]);
}

function pair(first: number, second: number): Buffer {
  return Buffer.concat([integer(first), integer(second), op('TUPLE2')]);
}

function op(name: PickleOpcode, argument: Uint8Array = Buffer.of()): Buffer {
  return Buffer.concat([Buffer.of(pickleOpcodes[name]), argument]);
}

/** Its module and its name, a line each. */
function global(name: PickleGlobalName): Buffer {
  const dot = name.lastIndexOf('.');
  return op('GLOBAL', Buffer.from(`${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`));
}

function text(value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(value));
  return op('BINUNICODE', Buffer.concat([length, Buffer.from(value)]));
}

/** 0 to 2^31 - 1, in the shortest of the forms that pickle has for it. */
function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  if (value < 2 ** 8) return op('BININT1', bytes.subarray(0, 1));
  if (value < 2 ** 16) return op('BININT2', bytes.subarray(0, 2));
  return op('BININT', bytes);
}
