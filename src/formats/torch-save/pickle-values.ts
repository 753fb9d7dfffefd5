import type { DenseDtype } from './dense-tensor.ts';
import type { PickleGlobalName } from './pickle-globals.ts';

interface Tuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

interface Dict {
  readonly kind: 'dict';
  readonly entries: Map<string, PickleValue>;
}

interface Global {
  readonly kind: 'global';
  readonly name: PickleGlobalName;
}

/** A file of the archive, named but not looked at. */
export interface StoredStorage {
  readonly kind: 'storage';
  readonly dtype: DenseDtype;
  /** The file is `data/<key>`. */
  readonly key: string;
  /** How many elements it is said to hold. */
  readonly elements: number;
}

/** A view of a storage, as said, unchecked. All numbers count elements and are at least 0. */
export interface StoredTensor {
  readonly kind: 'tensor';
  readonly storage: StoredStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

type PickleObject = Tuple | Dict | Global | StoredStorage | StoredTensor;

/** All that a program can make. Nothing of it is a function. */
export type PickleValue = string | number | boolean | PickleObject;

export function isKind<Kind extends PickleObject['kind']>(
  value: PickleValue | undefined,
  kind: Kind,
): value is Extract<PickleObject, { kind: Kind }> {
  return typeof value === 'object' && value.kind === kind;
}

/** A whole number from 0 up: the only ones that sizes and offsets may be. */
export function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}

/** For messages: what a value is. */
export function describeValue(value: PickleValue): string {
  if (typeof value !== 'object') return `a ${typeof value}`;
  return value.kind === 'global' ? value.name : `a ${value.kind}`;
}
