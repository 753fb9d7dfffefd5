import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { readGgufHeader } from '../../src/formats/gguf.ts';

const recordSchema = Type.Object({
  tensors: Type.Record(
    Type.String(),
    Type.Object({ type: Type.String(), shape: Type.Array(Type.Integer()), offset: Type.Integer() }),
  ),
});
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/gguf/${name}`, import.meta.url));

for (const model of ['tiny-llama', 'tiny-qwen2', 'tiny-qwen3']) {
  t.test(`finds the tensors of ${model} where the gguf package finds them`, async (t) => {
    const recorded = Value.Parse(recordSchema, JSON.parse(await readFile(fixture(`${model}.json`), 'utf8')));
    const { tensors, metadata } = await readGgufHeader(fixture(`${model}.gguf`));
    const found = [...tensors].map(([name, { type, shape, offset }]) => [name, { type, shape, offset }]);
    t.same(Object.fromEntries(found), recorded.tensors);
    t.equal(metadata.get('tokenizer.ggml.eos_token_id'), 2);
  });
}

t.test('a truncated file is refused, which a parser that pads with zeros would accept', async (t) => {
  const whole = await readFile(fixture('tiny-llama.gguf'));
  const path = join(t.testdir(), 'cut.gguf');
  await writeFile(path, whole.subarray(0, whole.length - 1000));
  await t.rejects(readGgufHeader(path), { code: 'format_invalid', message: /^cut\.gguf .* cut short/ });
});

t.test('a file that cannot be read is named', async (t) => {
  await t.rejects(readGgufHeader(join(t.testdir(), 'absent.gguf')), {
    code: 'file_unreadable',
    message: /absent\.gguf/,
  });
});
