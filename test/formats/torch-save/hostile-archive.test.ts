import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { decodeTorchSave, MAX_FILE_BYTES, readTorchSave } from '../../../src/formats/torch-save/read.ts';
import { encodeTorchSave } from '../../../src/formats/torch-save/write.ts';
import { writeStoredZip } from '../../../src/formats/torch-save/zip-write.ts';
import { archiveOf, refusal, small } from './support/tensors.ts';
import { endRecord, placesOf, type ZipPlaces } from './support/zip-places.ts';

const ours = Buffer.from(encodeTorchSave(small));
/** With descriptors behind the data and a zip64 end record. */
const torchs = await readFile(new URL('../../fixtures/torch-save/torch-2.13.0/f32.pt', import.meta.url));

const read = (archive: Uint8Array) => decodeTorchSave(archive, 'f');
const STORAGE = 'data/0';

/** A copy of `archive` with something changed at the places of its storage, or at its end record. */
function changed(archive: Buffer, change: (copy: Buffer, places: ZipPlaces, end: number) => unknown): Buffer {
  const copy = Buffer.from(archive);
  change(copy, placesOf(copy, STORAGE), endRecord(copy));
  if (copy.equals(archive)) throw new Error('nothing was changed');
  return copy;
}

const flipped = (copy: Buffer, at: number) => copy.writeUInt8((copy[at] ?? 0) ^ 1, at);
const inBoth = (value: number, local: number, entry: number) => (copy: Buffer, places: ZipPlaces) => {
  copy.writeUInt16LE(value, places.local + local);
  copy.writeUInt16LE(value, places.entry + entry);
};

const anywhere: [what: string, (copy: Buffer, places: ZipPlaces, end: number) => unknown, RegExp][] = [
  ['a changed value', (copy, { data }) => flipped(copy, data + 3), /data\/0" is damaged/],
  ['another CRC-32', (copy, { entry }) => flipped(copy, entry + 16), /is damaged|its own header/],
  ['encryption', inBoth(0x0801, 6, 8), /is encrypted/],
  ['strong encryption', inBoth(0x0041, 6, 8), /is encrypted/],
  ['a patch', inBoth(0x0020, 6, 8), /has unknown flags/],
  ['compression', inBoth(8, 8, 10), /is compressed, and torch\.save compresses nothing/],
  [
    'compression that its own header alone tells',
    (copy, { local }) => copy.writeUInt16LE(8, local + 8),
    /its own header/,
  ],
  [
    'flags that its own header alone tells',
    (copy, { local }) => copy.writeUInt16LE(0x0800 ^ copy.readUInt16LE(local + 6), local + 6),
    /its own header/,
  ],
  ['another name in its own header', (copy, { local }) => flipped(copy, local + 31), /its own header/],
  ['a longer name in its own header', (copy, { local }) => flipped(copy, local + 26), /its own header/],
  ['a size in its own header', (copy, { local }) => flipped(copy, local + 22), /its own header/],
  ['a packed size in its own header', (copy, { local }) => flipped(copy, local + 18), /its own header/],
  ['a CRC-32 in its own header', (copy, { local }) => flipped(copy, local + 14), /its own header/],
  ['two sizes', (copy, { entry }) => flipped(copy, entry + 20), /has two sizes/],
  [
    'a size beyond the file',
    (copy, { entry }) => {
      copy.writeUInt32LE(0x7fffffff, entry + 20);
      copy.writeUInt32LE(0x7fffffff, entry + 24);
    },
    /its own header|into the directory/,
  ],
  ['zip64 sizes', (copy, { entry }) => copy.writeUInt16LE(20, entry + 30), /has zip64 sizes, another extra field/],
  ['a comment of a file', (copy, { entry }) => copy.writeUInt16LE(4, entry + 32), /or a comment in the directory/],
  ['a file on another disk', (copy, { entry }) => copy.writeUInt16LE(1, entry + 34), /in the directory/],
  [
    'a file that starts at another',
    (copy, { entry }) => copy.writeUInt32LE(0, entry + 42),
    /starts at byte 0, but what is before it ends at \d+/,
  ],
  [
    'a file that starts outside',
    (copy, { entry }) => copy.writeUInt32LE(0xfffffff0, entry + 42),
    /starts at byte 4294967280/,
  ],
  [
    'an extra field into the directory',
    (copy, { local }) => copy.writeUInt16LE(0xffff, local + 28),
    /reaches into the directory/,
  ],
  ['no local header', (copy, { local }) => flipped(copy, local), /does not lie where the directory says/],
  ['no directory entry', (copy, { entry }) => flipped(copy, entry), /its directory ends before its last entry/],
  [
    'a name longer than the directory',
    (copy, { entry }) => copy.writeUInt16LE(0x7fff, entry + 28),
    /name in its directory is too long/,
  ],
  ['a name that climbs', (copy, places) => renamed(copy, places, (name) => `../${name.slice(3)}`), /is a path trick/],
  ['a name from the root', (copy, places) => renamed(copy, places, (name) => `/${name.slice(1)}`), /is a path trick/],
  [
    'a name with an empty part',
    (copy, places) => renamed(copy, places, (name) => name.replace(/..0$/, '//0')),
    /is a path trick/,
  ],
  [
    'a name with a backslash',
    (copy, places) => renamed(copy, places, (name) => name.replace('/', '\\')),
    /is a path trick/,
  ],
  ['a name with a NUL', (copy, places) => renamed(copy, places, (name) => name.replace('/', '\0')), /is a path trick/],
  [
    'a name that is no UTF-8',
    (copy, places) => renamed(copy, places, (name) => name.replace('/', '\xff')),
    /is not UTF-8/,
  ],
  [
    'a file of another folder',
    (copy, places) => renamed(copy, places, (name) => `x${name.slice(1)}`),
    /do not lie in one folder/,
  ],
  ['a comment', (copy, _, end) => copy.writeUInt16LE(1, end + 20), /goes on behind its end/],
  ['another disk', (copy, _, end) => copy.writeUInt16LE(1, end + 4), /one part of several/],
  ['two counts', (copy, _, end) => flipped(copy, end + 8), /one part of several/],
  [
    'a file too few',
    (copy, _, end) => [8, 10].map((at) => copy.writeUInt16LE(copy.readUInt16LE(end + at) - 1, end + at)),
    /zip64 end record says another|belong to none of its files/,
  ],
  ['a thousand files', (copy, _, end) => [8, 10].map((at) => copy.writeUInt16LE(1000, end + at)), /holds 1000 files/],
  ['a count in zip64', (copy, _, end) => [8, 10].map((at) => copy.writeUInt16LE(0xffff, end + at)), /needs zip64/],
  ['a size in zip64', (copy, _, end) => copy.writeUInt32LE(0xffffffff, end + 12), /needs zip64/],
  ['a place in zip64', (copy, _, end) => copy.writeUInt32LE(0xffffffff, end + 16), /needs zip64/],
  ['a directory elsewhere', (copy, _, end) => flipped(copy, end + 16), /zip64 end record says another|lies elsewhere/],
  ['a larger directory', (copy, _, end) => flipped(copy, end + 13), /zip64 end record says another|lies elsewhere/],
];
for (const [what, change, message] of anywhere) {
  t.test(`refuses ${what} in one line`, async (t) => {
    t.match(refusal(() => read(changed(ours, change)))?.message, message, 'in what we write');
    t.match(refusal(() => read(changed(torchs, change)))?.message, message, 'in what torch writes');
  });
}

const onlyInTorchs: [what: string, (copy: Buffer, places: ZipPlaces, end: number) => unknown, RegExp][] = [
  ['no descriptor', (copy, { end }) => flipped(copy, end), /than its end/],
  ['a CRC-32 in the descriptor', (copy, { end }) => flipped(copy, end + 4), /than its end/],
  ['a packed size in the descriptor', (copy, { end }) => flipped(copy, end + 8), /than its end/],
  ['a size in the descriptor', (copy, { end }) => flipped(copy, end + 12), /than its end/],
  ...[4, 16, 20, 24, 32, 40, 48].map((at): (typeof anywhere)[number] => [
    `another zip64 end record (byte ${at})`,
    (copy, _, end) => flipped(copy, end - 76 + at),
    /zip64 end record says another thing/,
  ]),
  ['no zip64 end record', (copy, _, end) => flipped(copy, end - 76), /zip64 end record says another thing/],
  [
    'a zip64 end record elsewhere',
    (copy, _, end) => flipped(copy, end - 20 + 8),
    /zip64 end record says another thing/,
  ],
  [
    'a zip64 end record on another disk',
    (copy, _, end) => flipped(copy, end - 20 + 4),
    /zip64 end record says another thing/,
  ],
];
for (const [what, change, message] of onlyInTorchs) {
  t.test(`refuses ${what} in one line`, async (t) => {
    t.match(refusal(() => read(changed(torchs, change)))?.message, message);
  });
}

const wrongFiles: [what: string, archive: Uint8Array, message: RegExp][] = [
  [
    'a file twice',
    writeStoredZip([1, 2].map(() => ({ name: 'a/version', data: Buffer.from('3\n') }))),
    /holds "a\/version" twice/,
  ],
  ['no pickle', archiveOf({ 'data.pkl': null }), /holds no data\.pkl/],
  ['no version', archiveOf({ version: null }), /holds no version/],
  ['another version', archiveOf({ version: '4\n' }), /version is not 3/],
  ['no storage', archiveOf({ 'data/0': null }), /holds no data\/0/],
  ['big-endian values', archiveOf({ byteorder: 'big' }), /not little-endian/],
  ['a storage that is too short', archiveOf({ 'data/0': small.bytes.subarray(1) }), /storage has 23 bytes/],
  ['another storage', archiveOf({ 'data/1': small.bytes }), /holds "data\/1", which one tensor does not need/],
  ['TorchScript', archiveOf({ 'code/__torch__.py': 'import os' }), /holds "code\/__torch__\.py"/],
  ['files in no folder', writeStoredZip([{ name: 'version', data: Buffer.from('3\n') }]), /do not lie in one folder/],
  ['no file', writeStoredZip([]), /do not lie in one folder|holds no version/],
  [
    '20 files',
    archiveOf(Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`data/${index + 1}`, '']))),
    /holds 20 files/,
  ],
  ['an empty file', new Uint8Array(), /no zip archive/],
  ['safetensors', Buffer.from('\x40\0\0\0\0\0\0\0{"soft_prompt":{}}'), /no zip archive/],
  [
    'a zip64 end in front of all',
    Buffer.concat([torchs.subarray(-42, -22), Buffer.from(writeStoredZip([]))]),
    /zip64 end record/,
  ],
  ['bytes in front', Buffer.concat([Buffer.from('#!'), ours]), /lies elsewhere/],
  ['bytes behind', Buffer.concat([ours, Buffer.from('\0')]), /goes on behind its end/],
  ['an archive behind an archive', Buffer.concat([ours, ours]), /lies elsewhere/],
];
for (const [what, archive, message] of wrongFiles) {
  t.test(`refuses ${what} in one line`, async (t) => {
    t.match(refusal(() => read(archive))?.message, message);
  });
}

t.test('refuses a gap between two files', async (t) => {
  const { local } = placesOf(ours, STORAGE);
  const gap = Buffer.concat([ours.subarray(0, local), Buffer.alloc(8), ours.subarray(local)]);
  const end = endRecord(gap);
  gap.writeUInt32LE(gap.readUInt32LE(end + 16) + 8, end + 16);
  for (const name of [STORAGE, '/version']) {
    const { entry } = placesOf(gap, name);
    gap.writeUInt32LE(gap.readUInt32LE(entry + 42) + 8, entry + 42);
  }
  t.match(
    refusal(() => read(gap))?.message,
    /"archive\/data\/0" starts at byte \d+, but what is before it ends at \d+/,
  );
});

t.test('a folder may have any plain name, and byteorder may be missing', async (t) => {
  t.match(read(archiveOf({ byteorder: null }, 'soft prompt (2), ü')).tensor, { rows: 2, columns: 3 });
});

t.test('a file is refused for its size alone before it is read', async (t) => {
  const path = join(t.testdir(), 'huge.pt');
  await using file = await open(path, 'w');
  await file.truncate(MAX_FILE_BYTES + 1);
  await t.rejects(readTorchSave(path), {
    code: 'format_invalid',
    message: /^huge\.pt .* has 269484033 bytes, the most is/,
  });
  await t.rejects(readTorchSave(join(t.testdir(), 'absent.pt')), { code: 'file_unreadable' });
});

t.test('a file is refused wherever it is cut', async (t) => {
  for (const archive of [ours, torchs]) {
    for (let length = 0; length < archive.length; length++) {
      if (refusal(() => read(archive.subarray(0, length))) === null) t.fail(`cut to ${length} bytes`);
    }
  }
  t.pass();
});

t.test('a file with any one byte changed is refused or means the same', async (t) => {
  for (const archive of [ours, torchs]) {
    const meant = read(archive);
    fc.assert(
      fc.property(fc.nat(archive.length - 1), fc.integer({ min: 1, max: 255 }), (position, difference) => {
        const copy = Buffer.from(archive);
        copy.writeUInt8((copy[position] ?? 0) ^ difference, position);
        return refusesOrMeans(copy, meant);
      }),
      { numRuns: 4000 },
    );
  }
  t.pass();
});

t.test('whatever the bytes, only a PreambleError is thrown', async (t) => {
  const places = fc.array(fc.tuple(fc.nat(ours.length - 5), fc.nat(0xffffffff)), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => refusal(() => read(bytes)) !== null));
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      (bytes) => refusal(() => read(Buffer.concat([bytes, ours.subarray(-22)]))) !== null,
    ),
  );
  fc.assert(
    fc.property(places, (changes) => {
      const copy = Buffer.from(ours);
      for (const [at, value] of changes) copy.writeUInt32LE(value, at);
      refusal(() => read(copy));
    }),
    { numRuns: 4000 },
  );
  t.pass();
});

function refusesOrMeans(archive: Buffer, meant: ReturnType<typeof decodeTorchSave>): boolean {
  let found: ReturnType<typeof decodeTorchSave> | undefined;
  const refused = refusal(() => {
    found = read(archive);
  });
  if (refused !== null) return true;
  const bytes = found?.tensor.bytes ?? new Uint8Array();
  return (
    found?.name === meant.name &&
    found.tensor.rows === meant.tensor.rows &&
    Buffer.compare(bytes, meant.tensor.bytes) === 0
  );
}

/** Gives the storage another name of the same length, in both places. */
function renamed(copy: Buffer, { local, entry }: ZipPlaces, change: (name: string) => string): void {
  const length = copy.readUInt16LE(entry + 28);
  const name = Buffer.from(change(copy.toString('latin1', entry + 46, entry + 46 + length)), 'latin1');
  if (name.length !== length) throw new Error('the name has another length');
  copy.set(name, local + 30);
  copy.set(name, entry + 46);
}
