import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { PreambleError } from '../../../src/errors.ts';
import { convertGguf } from '../../../src/model/convert/gguf-to-huggingface.ts';
import { ggufFixture } from './gguf-fixture.ts';

/** The model's sizes stand in the first bytes, its tokens behind them, its tensors' shapes just in front of the data. */
const SIZES_END = 900;

t.test(
  'a file with a few bytes changed converts or is refused in one line, and leaves no half directory',
  async (t) => {
    const real = await readFile(ggufFixture('tiny-llama'));
    const directory = t.testdir();
    const path = join(directory, 'model.gguf');
    const tensorNames = real.indexOf('rope_freqs.weight');
    const position = fc.oneof(fc.nat(SIZES_END), fc.integer({ min: tensorNames, max: tensorNames + 1500 }));
    const changes = fc.array(fc.tuple(position, fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 255))), {
      minLength: 1,
      maxLength: 3,
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(changes, async (changes) => {
        const bytes = Uint8Array.from(real);
        for (const [at, byte] of changes) bytes[at] = byte;
        await writeFile(path, bytes);
        const target = `converted-${run++}`;
        const error: unknown = await convertGguf(path, join(directory, target)).catch((error: unknown) => error);
        const isWhole = (await readdir(directory)).includes(target);
        if (error === undefined) return isWhole;
        return error instanceof PreambleError && error.code !== 'internal' && !error.message.includes('\n') && !isWhole;
      }),
      { numRuns: 200 },
    );
    t.notOk((await readdir(directory)).some((name) => name.endsWith('.partial')));
  },
);
