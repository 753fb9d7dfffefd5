import type { OperationTable } from './operation.ts';
import { type DecodingSignatures, decodingOperations } from './operations/decoding.ts';
import { type ElementwiseSignatures, elementwise } from './operations/elementwise.ts';
import { type FusedSignatures, fusedOperations } from './operations/fused.ts';
import { type InferenceSignatures, inferenceOperations } from './operations/inference.ts';
import { type MatmulSignatures, matmulOperations } from './operations/matmul.ts';
import { type ReductionSignatures, reductions } from './operations/reduction.ts';
import { type ShapeSignatures, shapeOperations } from './operations/shape.ts';

export interface OperationSignatures
  extends ElementwiseSignatures,
    ReductionSignatures,
    ShapeSignatures,
    MatmulSignatures,
    FusedSignatures,
    InferenceSignatures,
    DecodingSignatures {}

export type OperationName = keyof OperationSignatures;

/** Every operation a graph can hold. The type proves that each has its node, shape, type and derivative rule. */
export const operations: OperationTable<OperationSignatures> = {
  ...elementwise,
  ...reductions,
  ...shapeOperations,
  ...matmulOperations,
  ...fusedOperations,
  ...inferenceOperations,
  ...decodingOperations,
};

export type InputsOf<Name extends OperationName> = OperationSignatures[Name]['inputs'];
export type AttributesOf<Name extends OperationName> = OperationSignatures[Name]['attributes'];
export type OutputsOf<Name extends OperationName> = OperationSignatures[Name]['outputs'];
