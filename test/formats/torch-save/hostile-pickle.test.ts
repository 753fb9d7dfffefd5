import fc from 'fast-check';
import t from 'tap';
import { type PickleOpcode, pickleOpcodes } from '../../../src/formats/torch-save/pickle-opcodes.ts';
import { decodeTorchSave } from '../../../src/formats/torch-save/read.ts';
import { archiveOf, refusal, small, smallProgram } from './support/tensors.ts';

const read = (program: string) => decodeTorchSave(archiveOf({ 'data.pkl': program }), 'f');
/** The program for `small` with a part of it replaced: throws where the part isn't there, so that no case tests nothing. */
function instead(part: string, other: string): string {
  if (!smallProgram.includes(part)) throw new Error(`the program holds no ${JSON.stringify(part)}`);
  return smallProgram.replace(part, () => other);
}

const tensor = smallProgram.slice(2, -1);
const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;

const faults: [what: string, program: string, message: RegExp][] = [
  ['a call of os.system', '\x80\x02cos\nsystem\n(X\x04\0\0\0exittR.', /names "os\.system"/],
  ['eval', `\x80\x02cbuiltins\neval\n${text('1')}\x85R.`, /names "builtins\.eval"/],
  [
    'a loader of another storage',
    instead('torch\nFloatStorage', 'torch.storage\n_load_from_bytes'),
    /_load_from_bytes"/,
  ],
  ['a name like a storage of ours', instead('torch\nFloatStorage', 'evil\nFloatStorage'), /names "evil\.FloatStorage"/],
  [
    'another spelling of an allowed name',
    instead('_utils\n_re', '\n_utils._re').replace('torch.\n', 'torch\n'),
    /names "torch\._utils/,
  ],
  ['a name of a hundred lines', `\x80\x02c${'a'.repeat(3000)}\nb\n.`, /names "a{80}…"/],
  ['INST', '\x80\x02(ios\nsystem\n.', /the opcode INST/],
  ['OBJ', '\x80\x02(o.', /the opcode OBJ/],
  ['BUILD', `${smallProgram.slice(0, -1)}}b.`, /the opcode BUILD/],
  ['NEWOBJ', '\x80\x02ccollections\nOrderedDict\n)\x81.', /the opcode NEWOBJ/],
  ['STACK_GLOBAL', `\x80\x02${text('os')}${text('system')}\x93.`, /the opcode STACK_GLOBAL/],
  ['an extension', '\x80\x02\x82\x01.', /the opcode EXT1/],
  ['a byte that is no opcode', '\x80\x02\xff.', /the opcode 0xff/],
  ['a second protocol', instead('\x80\x02', '\x80\x02\x80\x02'), /the opcode PROTO/],
  ['another protocol', instead('\x80\x02', '\x80\x03'), /not in protocol 2/],
  ['no protocol', smallProgram.slice(2), /not in protocol 2/],
  ['a call of a storage', '\x80\x02ctorch\nFloatStorage\n)R.', /calls torch\.FloatStorage/],
  ['a call of a text', `\x80\x02${text('os')})R.`, /calls a string/],
  ['a call with a text', `\x80\x02ccollections\nOrderedDict\n${text('x')}R.`, /calls collections\.OrderedDict/],
  [
    'an OrderedDict of arguments',
    `\x80\x02ccollections\nOrderedDict\n${text('x')}\x85R.`,
    /calls collections\.OrderedDict/,
  ],
  ['a seventh argument', instead(')RtR.', ')R\x88tR.'), /other arguments/],
  ['a hook', instead(')Rt', `)R${text('k')}\x88st`), /other arguments/],
  ['a flag that is a number', instead('\x89c', 'K\0c'), /other arguments/],
  ['a negative offset', instead('QK\0', 'QJ\xff\xff\xff\xff'), /other arguments/],
  ['a negative size', instead('K\x02K\x03\x86', 'J\xfe\xff\xff\xffK\x03\x86'), /other arguments/],
  ['sizes that are texts', instead('K\x02K\x03\x86', `${text('2')}${text('3')}\x86`), /other arguments/],
  ['sizes beyond the storage', instead('K\x02K\x03\x86', 'K\x03K\x03\x86'), /\[3, 3\] reaches beyond its 6 values/],
  [
    'sizes that overflow',
    instead('K\x02K\x03\x86K\x03', 'J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86J\xff\xff\xff\x7f'),
    /reaches beyond/,
  ],
  ['an offset beyond the storage', instead('QK\0', 'QK\x01'), /reaches beyond/],
  ['a size of 0', instead('K\x02K\x03\x86', 'K\0K\x03\x86'), /its tensor is empty/],
  ['a stride of 0', instead('K\x03K\x01\x86', 'K\0K\x01\x86'), /not contiguous/],
  ['a stride too few', instead('K\x03K\x01\x86', 'K\x03\x85'), /not contiguous/],
  ['a stride too many', instead('K\x03K\x01\x86', 'K\x03K\x01K\x01\x87'), /not contiguous/],
  ['more values than there are', instead('K\x06t', 'K\x07t'), /has 24 bytes, but is said to hold 7 values/],
  ['fewer values than there are', instead('K\x06t', 'K\x05t'), /is said to hold 5 values/],
  ['values of another width', instead('torch\nFloat', 'torch\nHalf'), /is said to hold 6 values/],
  ['a negative number of values', instead('K\x06t', 'J\xfa\xff\xff\xfft'), /describes a storage/],
  ['another persistent id', instead('storage', 'Storage'), /describes a storage/],
  ['a persistent id of four', instead('K\x06t', 't'), /describes a storage/],
  [
    'a number for a storage',
    `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\0${smallProgram.slice(smallProgram.indexOf('QK\0') + 1)}`,
    /other arguments/,
  ],
  ['strides that are texts', instead('K\x03K\x01\x86', `${text('3')}${text('1')}\x86`), /other arguments/],
  ['a persistent id of six', instead('K\x06t', 'K\x06K\x06t'), /describes a storage/],
  ['a key that is a number', instead(text('0'), 'K\0'), /describes a storage/],
  ['a location that is a number', instead(text('cpu'), 'K\0'), /describes a storage/],
  ['a persistent id that is a text', `\x80\x02${text('0')}Q.`, /describes a storage/],
  ['a storage type that is a text', instead('ctorch\nFloatStorage\n', text('FloatStorage')), /describes a storage/],
  ['a storage elsewhere', instead(text('0'), text('../../0')), /names the storage "\.\.\/\.\.\/0"/],
  ['a storage that is not there', instead(text('0'), text('1')), /holds no data\/1/],
  ['a dict of a dict', `\x80\x02}${text('a')}}s.`, /holds no tensor/],
  ['a dict that holds itself', `\x80\x02}q\0${text('a')}h\0s.`, /holds no tensor/],
  ['an empty dict', '\x80\x02}.', /holds no tensor/],
  ['a key twice', `\x80\x02}(${text('a')}${tensor}${text('a')}${tensor}u.`, /has the key "a" twice/],
  ['a key without a value', `\x80\x02}(${text('a')}u.`, /values that are not there/],
  ['items for a text', `\x80\x02${text('a')}${text('b')}${text('c')}s.`, /values that are not there/],
  [
    'a lone storage',
    `\x80\x02(${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}K\x06tQ.`,
    /holds no tensor/,
  ],
  ['a lone text', `\x80\x02${text('a')}.`, /holds no tensor/],
  ['nothing', '\x80\x02.', /values that are not there/],
  ['values left over', `\x80\x02${text('a')}${tensor}.`, /leaves values over/],
  ['a mark left over', `\x80\x02(${tensor}.`, /leaves values over/],
  ['a tuple without a mark', '\x80\x02t.', /values that are not there/],
  ['a value from below a mark', `\x80\x02${text('a')}(\x85.`, /values that are not there/],
  ['a memo that nobody filled', `\x80\x02h\x07${tensor}.`, /values that are not there/],
  ['a memo of nothing', '\x80\x02q\x07.', /values that are not there/],
  ['bytes behind the end', `${smallProgram}.`, /goes on behind its end/],
  ['a text longer than the rest', '\x80\x02X\xff\xff\xff\xffa.', /cut short/],
  ['a name without an end', '\x80\x02cos.', /cut short/],
  ['a text that is no UTF-8', '\x80\x02X\x01\0\0\0\xff.', /not UTF-8/],
  ['a name that is no UTF-8', '\x80\x02c\xff\n\xfe\n.', /not UTF-8/],
  ['a long program', `\x80\x02${'}q\0'.repeat(1400)}.`, /its pickle has 4203 bytes/],
];
for (const [what, program, message] of faults) {
  t.test(`refuses ${what} in one line`, async (t) => {
    t.match(refusal(() => read(program))?.message, message);
  });
}

t.test('what torch would read the same is read', async (t) => {
  const rows = (program: string) => read(program).tensor;
  t.same(rows(smallProgram), { ...small, bytes: Buffer.from(small.bytes) });
  t.equal(read(`\x80\x02}${text('k')}${tensor}s.`).name, 'k', 'a dict, one item');
  t.equal(read(`\x80\x02}(${text('k')}${tensor}u.`).name, 'k', 'a dict, items');
  t.equal(read(`\x80\x02ccollections\nOrderedDict\nq\x01)Rr\x02\0\0\0${text('k')}${tensor}s.`).name, 'k');
  const remembered = tensor.replace('ccollections\nOrderedDict\n', 'j\x01\0\0\0');
  t.equal(read(`\x80\x02ccollections\nOrderedDict\nr\x01\0\0\0)R${text('k')}${remembered}s.`).name, 'k', 'the memo');
  t.same(
    Buffer.from(rows(instead('QK\0K\x02', 'QK\x03K\x01')).bytes),
    Buffer.from(small.bytes).subarray(12),
    'a later row',
  );
});

t.test('a program is refused wherever it is cut', async (t) => {
  for (let length = 0; length < smallProgram.length; length++) {
    if (refusal(() => read(smallProgram.slice(0, length))) === null) t.fail(`cut to ${length} bytes`);
  }
  t.pass();
});

t.test('whatever the program, only a PreambleError is thrown and nothing is read beyond the storage', async (t) => {
  const opcode = fc
    .constantFrom(...(Object.keys(pickleOpcodes) as PickleOpcode[]))
    .map((name) => String.fromCharCode(pickleOpcodes[name]));
  const known = fc.constantFrom(
    ...[
      '(',
      ')',
      '}',
      't',
      's',
      'u',
      'R',
      'Q',
      '\x85',
      '\x86',
      '\x87',
      '\x88',
      '\x89',
      'K\0',
      'K\x01',
      'K\x02',
      'K\x03',
      'M\0\x01',
      'J\xff\xff\xff\xff',
    ],
    ...['q\0', 'h\0', 'q\x01', 'h\x01', 'r\0\0\0\0', 'j\0\0\0\0', text('a'), text('storage'), text('0')],
    ...['ctorch._utils\n_rebuild_tensor_v2\n', 'ctorch\nFloatStorage\n', 'ccollections\nOrderedDict\n', tensor],
  );
  const program = fc.array(fc.oneof({ weight: 9, arbitrary: known }, opcode), { maxLength: 40 });
  fc.assert(
    fc.property(program, (parts) => readsOrRefuses(`\x80\x02${parts.join('')}.`)),
    { numRuns: 3000 },
  );
  t.pass();
});

t.test('a real program with one byte changed is read or refused', async (t) => {
  fc.assert(
    fc.property(fc.nat(smallProgram.length - 1), fc.nat(255), (position, byte) => {
      const before = smallProgram.slice(0, position);
      return readsOrRefuses(`${before}${String.fromCharCode(byte)}${smallProgram.slice(position + 1)}`);
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

function readsOrRefuses(program: string): boolean {
  let bytes: Uint8Array = small.bytes;
  const refused = refusal(() => {
    bytes = read(program).tensor.bytes;
  });
  return refused !== null || Buffer.from(small.bytes).includes(Buffer.from(bytes));
}
