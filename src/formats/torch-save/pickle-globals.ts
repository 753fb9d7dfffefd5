import type { DenseDtype } from './dense-tensor.ts';

export const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
export const ORDERED_DICT = 'collections.OrderedDict';

const storageGlobals = {
  BF16: 'torch.BFloat16Storage',
  F16: 'torch.HalfStorage',
  F32: 'torch.FloatStorage',
} as const satisfies Record<DenseDtype, string>;

/** Everything outside itself that a program may name. */
export type PickleGlobalName =
  | typeof REBUILD_TENSOR
  | typeof ORDERED_DICT
  | (typeof storageGlobals)[keyof typeof storageGlobals];

const dtypes: ReadonlyMap<string, DenseDtype> = new Map(
  (['BF16', 'F16', 'F32'] as const).map((dtype) => [storageGlobals[dtype], dtype]),
);

export function globalFor(dtype: DenseDtype): PickleGlobalName {
  return storageGlobals[dtype];
}

/** The dtype of a storage that has this name, null where it is no storage's that can be read. */
export function dtypeOf(global: string): DenseDtype | null {
  return dtypes.get(global) ?? null;
}

export function isAllowedGlobal(name: string): name is PickleGlobalName {
  return name === REBUILD_TENSOR || name === ORDERED_DICT || dtypes.has(name);
}
