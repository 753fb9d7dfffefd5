import {
  bytesField,
  type Field,
  floatField,
  integerField,
  messageField,
  packedIntegersField,
  stringField,
} from './onnx-protobuf.ts';

/** TensorProto.DataType of onnx.proto3 for the element types used here. */
export const onnxDataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const;

export type OnnxDataType = keyof typeof onnxDataTypes;

/** An attribute's value with its AttributeProto type spelled out, because 1 and 1.0 are different types in ONNX. */
export type OnnxAttribute = { int: number } | { ints: readonly number[] } | { float: number } | { string: string };

export interface OnnxNode {
  name: string;
  type: string;
  /** Empty for ONNX's own operators. */
  domain: string;
  /** An empty name stands for a missing optional input or output. */
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A range of bytes of a file that lies in the model's folder. */
export interface OnnxExternalData {
  file: string;
  /** Bytes from the start of the file. */
  offset: number;
  /** Bytes. */
  length: number;
}

export interface OnnxInitializer {
  name: string;
  dtype: OnnxDataType;
  shape: readonly number[];
  /** Little-endian, row-major bytes, or where they are. */
  data: Uint8Array | OnnxExternalData;
}

export interface OnnxValueInfo {
  name: string;
  dtype: OnnxDataType;
  /** A string is a symbolic dimension. */
  shape: readonly (number | string)[];
}

export interface OnnxGraph {
  nodes: readonly OnnxNode[];
  initializers: readonly OnnxInitializer[];
  inputs: readonly OnnxValueInfo[];
  outputs: readonly OnnxValueInfo[];
}

// Opset 20 is the newest that every operator used here is registered for; IR version 9 belongs to it.
const IR_VERSION = 9;
const OPSETS = { '': 20, 'com.microsoft': 1 } as const;

const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_INTS = 7;
const DATA_LOCATION_EXTERNAL = 1;

/** An ONNX ModelProto (field numbers of onnx.proto3). */
export function encodeOnnxModel(graph: OnnxGraph): Uint8Array {
  return Buffer.concat([
    integerField(1, IR_VERSION),
    stringField(2, 'preamble'),
    messageField(7, [
      ...graph.nodes.map(nodeField),
      stringField(2, 'graph'),
      ...graph.initializers.map(initializerField),
      ...graph.inputs.map((value) => valueInfoField(11, value)),
      ...graph.outputs.map((value) => valueInfoField(12, value)),
    ]),
    ...Object.entries(OPSETS).map(([domain, version]) =>
      messageField(8, [stringField(1, domain), integerField(2, version)]),
    ),
  ]);
}

function nodeField(node: OnnxNode): Field {
  return messageField(1, [
    ...node.inputs.map((name) => stringField(1, name)),
    ...node.outputs.map((name) => stringField(2, name)),
    stringField(3, node.name),
    stringField(4, node.type),
    ...Object.entries(node.attributes).map(([name, value]) => attributeField(name, value)),
    stringField(7, node.domain),
  ]);
}

function attributeField(name: string, value: OnnxAttribute): Field {
  return messageField(5, [stringField(1, name), ...attributeValue(value)]);
}

function attributeValue(value: OnnxAttribute): Field[] {
  if ('float' in value) return [floatField(2, value.float), integerField(20, ATTRIBUTE_FLOAT)];
  if ('int' in value) return [integerField(3, value.int), integerField(20, ATTRIBUTE_INT)];
  if ('string' in value) return [stringField(4, value.string), integerField(20, ATTRIBUTE_STRING)];
  return [packedIntegersField(8, value.ints), integerField(20, ATTRIBUTE_INTS)];
}

function initializerField({ name, dtype, shape, data }: OnnxInitializer): Field {
  const head = [packedIntegersField(1, shape), integerField(2, onnxDataTypes[dtype]), stringField(8, name)];
  if (data instanceof Uint8Array) return messageField(5, [...head, bytesField(9, data)]);
  return messageField(5, [
    ...head,
    externalDataField('location', data.file),
    externalDataField('offset', String(data.offset)),
    externalDataField('length', String(data.length)),
    integerField(14, DATA_LOCATION_EXTERNAL),
  ]);
}

const externalDataField = (key: string, value: string) =>
  messageField(13, [stringField(1, key), stringField(2, value)]);

function valueInfoField(field: number, { name, dtype, shape }: OnnxValueInfo): Field {
  const dimensions = shape.map((size) =>
    messageField(1, [typeof size === 'number' ? integerField(1, size) : stringField(2, size)]),
  );
  const tensorType = messageField(1, [integerField(1, onnxDataTypes[dtype]), messageField(2, dimensions)]);
  return messageField(field, [stringField(1, name), messageField(2, [tensorType])]);
}
