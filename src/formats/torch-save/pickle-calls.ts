import { quoteName } from '../quote-name.ts';
import { invalidTorchSave } from './dense-tensor.ts';
import { dtypeOf, ORDERED_DICT, REBUILD_TENSOR } from './pickle-globals.ts';
import {
  describeValue,
  isCount,
  isKind,
  type PickleValue,
  type StoredStorage,
  type StoredTensor,
} from './pickle-values.ts';

/** What stands for a call of `callee`: two functions are known, and neither is run, only what they would make is noted down. */
export function callResult(callee: PickleValue, argumentTuple: PickleValue, path: string): PickleValue {
  if (isKind(callee, 'global') && isKind(argumentTuple, 'tuple')) {
    const { items } = argumentTuple;
    if (callee.name === REBUILD_TENSOR) return rebuiltTensor(items, path);
    if (callee.name === ORDERED_DICT && items.length === 0) return { kind: 'dict', entries: new Map() };
  }
  throw invalidTorchSave(path, `its pickle calls ${describeValue(callee)} in a way that torch.save does not`);
}

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)`. */
function rebuiltTensor(items: readonly PickleValue[], path: string): StoredTensor {
  const [storage, offset, size, stride, requiresGrad, hooks] = items;
  const shape = counts(size);
  const strides = counts(stride);
  if (
    items.length !== 6 ||
    !isKind(storage, 'storage') ||
    !isCount(offset) ||
    shape === null ||
    strides === null ||
    typeof requiresGrad !== 'boolean' ||
    !isKind(hooks, 'dict') ||
    hooks.entries.size > 0
  ) {
    throw invalidTorchSave(path, `its pickle calls ${REBUILD_TENSOR} with other arguments than torch.save`);
  }
  return { kind: 'tensor', storage, offset, shape, strides };
}

/**
 * What stands for a persistent id: `('storage', type, key, location, number of elements)`. The location is not asked for: values that
 * lay on a GPU are the same in the file.
 */
export function storageOf(id: PickleValue, path: string): StoredStorage {
  const items = isKind(id, 'tuple') ? id.items : [];
  const [tag, type, key, location, elements] = items;
  const dtype = isKind(type, 'global') ? dtypeOf(type.name) : null;
  if (
    items.length !== 5 ||
    tag !== 'storage' ||
    dtype === null ||
    typeof key !== 'string' ||
    typeof location !== 'string' ||
    !isCount(elements)
  ) {
    throw invalidTorchSave(path, 'its pickle describes a storage in a way that torch.save does not');
  }
  if (!/^\d{1,9}$/.test(key)) throw invalidTorchSave(path, `its pickle names the storage ${quoteName(key)}`);
  return { kind: 'storage', dtype, key, elements };
}

/** The whole numbers of a tuple, null where it is anything else. */
function counts(value: PickleValue | undefined): number[] | null {
  if (!isKind(value, 'tuple')) return null;
  const numbers = value.items.filter(isCount);
  return numbers.length === value.items.length ? numbers : null;
}
