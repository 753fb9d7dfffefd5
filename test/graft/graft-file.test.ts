import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { checkGraft, type Graft, readGraft, writeGraft } from '../../src/graft/graft-file.ts';
import { spellVirtualTokens } from '../../src/graft/virtual-token.ts';

const digest = 'ab'.repeat(32);

function sample(): Graft {
  const [texts = []] = spellVirtualTokens([{ digest, tokens: 2 }]);
  return {
    format: 'preamble.graft/1',
    tool: 'preamble 0.1.0',
    created: '2026-11-24T12:00:00.000Z',
    source: {
      modelId: 'tests/tiny',
      architecture: 'llama',
      hiddenSize: 4,
      vocabSize: 10,
      embeddingsSha256: digest,
      tokenizerSha256: digest,
    },
    result: { format: 'hf', vocabSize: 64, embeddingsSha256: digest, tokenizerSha256: digest, untied: true },
    prompts: [
      {
        name: 'tiny/kind',
        version: '1.0.0',
        digest,
        position: 'system',
        tokens: texts.map((text, row) => ({ id: 10 + row, text, row })),
        spelled: texts.join(''),
      },
    ],
    head: { rule: 'opposed', direction: 'ridge', scale: 3, rows: 54 },
    margin: {
      worst: 1,
      positions: 5000,
      states: [{ prompt: null, positions: 5000, worst: 1 }],
      queries: [{ file: 'dev.jsonl', sha256: digest, queries: 100 }],
    },
    restore: {
      folder: 'preamble-original',
      files: [
        { kind: 'unchanged', name: 'merges.txt', size: 3 },
        { kind: 'kept', name: 'config.json', size: 3, sha256: digest },
        { kind: 'weights', name: 'model.safetensors', size: 3, sha256: digest },
      ],
    },
  };
}

t.test('what is written is read again', async (t) => {
  const directory = t.testdir();
  await writeGraft(directory, sample());
  t.strictSame(await readGraft(directory), sample());
  t.strictSame(await readGraft(join(directory, 'preamble-graft.json')), sample());
});

t.test('a record that does not hold together is refused in one line', async (t) => {
  const faults: [RegExp, (graft: Graft) => void][] = [
    [/stands for two rows/, ({ prompts: [prompt] }) => Object.assign(prompt?.tokens[1] ?? {}, { id: 10 })],
    [/outside the vocabulary/, ({ prompts: [prompt] }) => Object.assign(prompt?.tokens[1] ?? {}, { id: 64 })],
    [/row 1 .* row 0/, ({ prompts: [prompt] }) => Object.assign(prompt?.tokens[1] ?? {}, { row: 0 })],
    [/spelled otherwise/, ({ prompts: [prompt] }) => Object.assign(prompt ?? {}, { spelled: 'Be kind.' })],
    [/margin/, ({ margin }) => Object.assign(margin, { worst: 0 })],
    [/restore/, ({ restore }) => Object.assign(restore?.files[0] ?? {}, { name: '../../etc' })],
    [/text/, ({ prompts: [prompt] }) => Object.assign(prompt?.tokens[0] ?? {}, { text: 'the' })],
  ];
  for (const [message, change] of faults) {
    const graft = sample();
    change(graft);
    t.throws(() => checkGraft(graft, 'g.json'), { code: 'format_invalid', message });
  }
  const directory = t.testdir();
  await t.rejects(readGraft(directory), { code: 'file_unreadable' });
  await writeFile(join(directory, 'preamble-graft.json'), '{"format":1,"format":2}');
  await t.rejects(readGraft(directory), { message: /twice/ });
  await writeFile(join(directory, 'preamble-graft.json'), 'x');
  await t.rejects(readGraft(directory), { message: /not JSON/ });
});

t.test('prompts whose digests begin alike are spelled differently', (t) => {
  const [a = [], b = []] = spellVirtualTokens([
    { digest: `${'a'.repeat(8)}b${'0'.repeat(55)}`, tokens: 2 },
    { digest: `${'a'.repeat(8)}c${'0'.repeat(55)}`, tokens: 1 },
  ]);
  t.strictSame(a, ['<|paaaaaaaab.000|>', '<|paaaaaaaab.001|>']);
  t.strictSame(b, ['<|paaaaaaaac.000|>']);
  t.strictSame(spellVirtualTokens([{ digest, tokens: 1 }]), [['<|pababab.000|>']]);
  t.end();
});
