/** Protocol Buffers wire format, encoding only, as far as ONNX needs it (https://protobuf.dev/programming-guides/encoding/). */
const WIRE_VARINT = 0;
const WIRE_LENGTH_DELIMITED = 2;
const WIRE_FIXED32 = 5;

/** One encoded field, or several in a row. */
export type Field = Uint8Array;

function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

const key = (field: number, wireType: number) => varint((field << 3) | wireType);

export function bytesField(field: number, value: Uint8Array): Field {
  return Buffer.concat([key(field, WIRE_LENGTH_DELIMITED), varint(value.byteLength), value]);
}

export function stringField(field: number, value: string): Field {
  return bytesField(field, Buffer.from(value, 'utf8'));
}

export function integerField(field: number, value: number | bigint): Field {
  return Buffer.concat([key(field, WIRE_VARINT), varint(value)]);
}

export function floatField(field: number, value: number): Field {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, WIRE_FIXED32), bytes]);
}

export function packedIntegersField(field: number, values: readonly number[]): Field {
  return bytesField(field, Buffer.concat(values.map(varint)));
}

export function messageField(field: number, fields: readonly Field[]): Field {
  return bytesField(field, Buffer.concat(fields));
}
