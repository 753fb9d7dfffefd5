import fc from 'fast-check';
import t from 'tap';
import { PreambleError } from '../../src/errors.ts';
import { parsePromptTensor, toFloat32 } from '../../src/prompts/tensor.ts';
import { rows, safetensorsBytes } from './support/tiny.ts';

const data = rows(3).bytes;

t.test('F32 and BF16 rows become float32, also where they lie unaligned', (t) => {
  const f32 = parsePromptTensor(safetensorsBytes('soft_prompt', 'F32', [3, 4], data), 'p');
  t.match(f32, { dtype: 'F32', tokens: 3, hiddenSize: 4 });
  t.same(toFloat32(f32), new Float32Array(Uint8Array.from(data).buffer));
  // 1.0 and -2.0: the upper halves of 0x3f800000 and 0xc0000000
  const bf16 = parsePromptTensor(
    safetensorsBytes('soft_prompt', 'BF16', [1, 2], Uint8Array.of(0x80, 0x3f, 0, 0xc0)),
    'p',
  );
  t.same(toFloat32(bf16), Float32Array.of(1, -2));
  t.end();
});

t.test('each fault is named in one line', (t) => {
  const nan = rows(3, (values) => {
    values[6] = Number.NaN;
  }).bytes;
  const infinite = Uint8Array.of(0x80, 0x7f, 0, 0);
  const whole = safetensorsBytes('soft_prompt', 'F32', [3, 4], data);
  const lying = Uint8Array.from(whole);
  lying.set([0xff, 0xff, 0xff, 0xff, 0xff], 0);
  const faults: [string, Uint8Array, RegExp][] = [
    ['empty', new Uint8Array(0), /shorter than its first field/],
    ['cut in its header', whole.subarray(0, 30), /claims a header/],
    ['a header length beyond the file', lying, /claims a header/],
    ['cut in its data', whole.subarray(0, whole.length - 1), /cut short/],
    ['bytes behind the data', Buffer.concat([whole, data]), /belong to no tensor/],
    ['another name', safetensorsBytes('prompt', 'F32', [3, 4], data), /soft_prompt and no other/],
    ['float16', safetensorsBytes('soft_prompt', 'F16', [6, 4], data), /dtype is F16/],
    ['an unknown dtype', safetensorsBytes('soft_prompt', 'F99', [3, 4], data), /unknown dtype/],
    ['one dimension', safetensorsBytes('soft_prompt', 'F32', [12], data), /shape is \[12\]/],
    ['no rows', safetensorsBytes('soft_prompt', 'F32', [0, 4], new Uint8Array(0)), /shape is \[0, 4\]/],
    ['too many rows', safetensorsBytes('soft_prompt', 'F32', [5000, 1], new Uint8Array(20_000)), /5000 virtual tokens/],
    ['a shape that its bytes do not fill', safetensorsBytes('soft_prompt', 'F32', [4, 4], data), /need 64/],
    ['NaN', safetensorsBytes('soft_prompt', 'F32', [3, 4], nan), /row 1 holds/],
    ['infinity', safetensorsBytes('soft_prompt', 'BF16', [1, 2], infinite), /row 0 holds/],
  ];
  for (const [name, bytes, message] of faults) {
    t.throws(() => parsePromptTensor(bytes, 'p'), { code: 'prompt_invalid', message }, name);
  }
  t.end();
});

t.test('whatever the bytes, there are finite rows or a PreambleError', (t) => {
  const whole = safetensorsBytes('soft_prompt', 'F32', [3, 4], data);
  const flipped = fc
    .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const cut = fc.nat(whole.length).map((length) => whole.slice(0, length));
  const property = fc.property(fc.oneof(flipped, cut, fc.uint8Array({ maxLength: 200 })), (bytes) => {
    try {
      const tensor = parsePromptTensor(bytes, 'p');
      return (
        toFloat32(tensor).every(Number.isFinite) &&
        tensor.bytes.length === tensor.tokens * tensor.hiddenSize * (tensor.dtype === 'F32' ? 4 : 2)
      );
    } catch (error) {
      return error instanceof PreambleError && error.code === 'prompt_invalid' && !error.message.includes('\n');
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }));
  t.end();
});
