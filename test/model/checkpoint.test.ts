import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openCheckpoint } from '../../src/model/checkpoint.ts';
import { runCli } from '../helpers/serve-process.ts';
import { tinyModelDirectory } from '../prompts/support/tiny.ts';

const WEIGHTS = 'model.safetensors';

interface Header {
  [name: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

async function copy(t: Test): Promise<string> {
  const directory = join(t.testdir({ model: {} }), 'model');
  await cp(tinyModelDirectory, directory, { recursive: true });
  return directory;
}

/** Writes the weights again under another header. */
async function rewrite(directory: string, change: (header: Header) => void): Promise<void> {
  const path = join(directory, WEIGHTS);
  const bytes = await readFile(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header: Header = JSON.parse(String(bytes.subarray(8, 8 + length)));
  change(header);
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  await writeFile(path, Buffer.concat([prefix, json, bytes.subarray(8 + length)]));
}

const EMBEDDINGS = 'model.embed_tokens.weight';

function tensor(header: Header, name = EMBEDDINGS) {
  const found = header[name];
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

t.test('a checkpoint is opened where it lies, whole or in shards', async (t) => {
  const directory = await copy(t);
  const checkpoint = await openCheckpoint(directory);
  t.match(checkpoint.tensor(EMBEDDINGS), { file: WEIGHTS, dtype: 'bfloat16', shape: [312, 32] });
  t.throws(() => checkpoint.tensor('absent'), { code: 'format_invalid', message: /tensor absent is missing/ });
  const weight_map = Object.fromEntries([...checkpoint.tensors.keys()].map((name) => [name, WEIGHTS]));
  await writeFile(join(directory, `${WEIGHTS}.index.json`), JSON.stringify({ weight_map }));
  t.equal((await openCheckpoint(directory)).tensors.size, checkpoint.tensors.size);
  await writeFile(join(directory, `${WEIGHTS}.index.json`), '{"weight_map":{"a":"absent.safetensors"}}');
  await t.rejects(openCheckpoint(directory), { code: 'file_unreadable' });
});

t.test('one that cannot be used says which tensor, and the server does not start on it', async (t) => {
  const cases: [name: string, damage: (directory: string) => Promise<void>, message: RegExp][] = [
    ['no weights', (at) => rm(join(at, WEIGHTS)), /has neither model\.safetensors nor an index/],
    ['cut short', (at) => truncate(join(at, WEIGHTS), 20_000), /cut short/],
    ['cut within its header', (at) => truncate(join(at, WEIGHTS), 100), /ends within its header/],
    [
      'a tensor missing',
      (at) =>
        rewrite(at, (header) => {
          header['renamed'] = tensor(header, 'model.norm.weight');
          delete header['model.norm.weight'];
        }),
      /tensor model\.norm\.weight is missing/,
    ],
    [
      'another shape of the same size',
      (at) =>
        rewrite(at, (header) => {
          tensor(header).shape = [32, 312];
        }),
      /model\.embed_tokens\.weight is \[32, 312\] and should be \[312, 32\]/,
    ],
    [
      'a dtype that is no weight’s',
      (at) =>
        rewrite(at, (header) => {
          tensor(header).dtype = 'I16';
        }),
      /model\.embed_tokens\.weight is missing/,
    ],
    [
      'an unknown dtype',
      (at) =>
        rewrite(at, (header) => {
          tensor(header).dtype = 'F12';
        }),
      /unknown dtype "F12"/,
    ],
    [
      'another hidden size in its configuration',
      async (at) => {
        const path = join(at, 'config.json');
        await writeFile(path, String(await readFile(path)).replace('"hidden_size": 32', '"hidden_size": 64'));
      },
      /is \[312, 32\] and should be \[312, 64\]/,
    ],
    [
      'another architecture',
      async (at) => {
        const path = join(at, 'config.json');
        await writeFile(path, String(await readFile(path)).replace('"llama"', '"gpt2"'));
      },
      /model type "gpt2", which is not supported\. Supported are llama/,
    ],
  ];
  for (const [name, damage, message] of cases) {
    await t.test(name, async (t) => {
      const directory = await copy(t);
      await damage(directory);
      await t.rejects(openCheckpoint(directory), { message: name === 'another architecture' ? /gpt2/ : message });
      const settings = {
        PREAMBLE_LOG_LEVEL: 'silent',
        PREAMBLE_MODELS_SMOLLM2_135M_INSTRUCT_BACKEND_MODEL: directory,
        PREAMBLE_MODELS_SMOLLM2_135M_INSTRUCT_BACKEND_WEIGHTS: 'float32',
        PREAMBLE_MODELS_SMOLLM2_135M_INSTRUCT_PROMPT: '',
      };
      const ended = await runCli(t, directory, ['serve', '--port', '0'], settings);
      t.equal(ended.code, 1);
      t.match(ended.stderr, RegExp(`^preamble: [^\\n]*${message.source}[^\\n]*\\n$`));
    });
  }
});
