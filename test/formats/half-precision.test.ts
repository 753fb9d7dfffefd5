import { readFile } from 'node:fs/promises';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import {
  bf16ToFloat32,
  decodeBf16,
  decodeF16,
  encodeBf16,
  f16ToFloat32,
  float32ToBf16,
  float32ToF16,
} from '../../src/formats/half-precision.ts';

const recordSchema = Type.Object({ float32: Type.String(), f16: Type.String(), bf16: Type.String() });
const fixture = new URL('../fixtures/safetensors/half.json', import.meta.url);
const recorded = Value.Parse(recordSchema, JSON.parse(await readFile(fixture, 'utf8')));
const numbers = new Float32Array(aligned(recorded.float32));
const everyHalf = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

t.test('rounding to binary16 equals torch', async (t) => {
  t.same(Uint16Array.from(numbers, float32ToF16), new Uint16Array(aligned(recorded.f16)));
});

t.test('rounding to bfloat16 equals torch', async (t) => {
  const expected = new Uint16Array(aligned(recorded.bf16));
  const encoded = new Uint16Array(numbers.length);
  encodeBf16(numbers, encoded);
  t.same(Uint16Array.from(numbers, float32ToBf16), expected);
  t.same(encoded, expected);
});

t.test('every half survives the way to float32 and back', async (t) => {
  const isNan16 = (bits: number) => (bits & 0x7fff) > 0x7c00;
  const isNanBf16 = (bits: number) => (bits & 0x7fff) > 0x7f80;
  const f16 = new Float32Array(everyHalf.length);
  const bf16 = new Float32Array(everyHalf.length);
  decodeF16(everyHalf, f16);
  decodeBf16(everyHalf, bf16);
  t.same(f16, Float32Array.from(everyHalf, f16ToFloat32));
  t.same(bf16, Float32Array.from(everyHalf, bf16ToFloat32));
  t.same(
    everyHalf.filter((bits, index) => !isNan16(bits) && float32ToF16(f16[index] ?? 0) !== bits),
    new Uint16Array(),
  );
  t.same(
    everyHalf.filter((bits, index) => !isNanBf16(bits) && float32ToBf16(bf16[index] ?? 0) !== bits),
    new Uint16Array(),
  );
});

t.test('not-a-number stays not a number, even where only low bits are set', async (t) => {
  const nan = new Float32Array(new Uint32Array([0x7f800001, 0xffc00000, 0x7fffffff]).buffer);
  const encoded = new Uint16Array(nan.length);
  encodeBf16(nan, encoded);
  t.ok(encoded.every((bits) => Number.isNaN(bf16ToFloat32(bits))));
  t.ok(nan.every((value) => Number.isNaN(f16ToFloat32(float32ToF16(value)))));
  t.ok(nan.every((value) => Number.isNaN(bf16ToFloat32(float32ToBf16(value)))));
});

function aligned(base64: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
}
