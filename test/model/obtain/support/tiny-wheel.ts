import { createHash } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import type { WheelPin } from '../../../../src/model/known-models.ts';

/** A zip archive as a wheel is one: deflated members, then the central directory. */
function zipArchive(members: readonly { name: string; bytes: Buffer }[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of members) {
    const data = deflateRawSync(bytes);
    // From "version needed" to the lengths of name and extra field, the same 26 bytes in both headers. APPNOTE.TXT 4.3.7, 4.3.12.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), data]);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, Buffer.from(name));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function tinyWheel(gguf: Buffer): { archive: Buffer; pin: WheelPin } {
  const member = 'tiny_wheel/model.gguf';
  const archive = zipArchive([
    { name: 'tiny_wheel/__init__.py', bytes: Buffer.from('') },
    { name: member, bytes: gguf },
  ]);
  const file = { name: 'tiny_wheel-0.1.2-py3-none-any.whl', size: archive.length, sha256: sha256(archive) };
  return {
    archive,
    pin: {
      package: 'tiny-wheel',
      version: '0.1.2',
      file,
      member: { name: member, size: gguf.length, sha256: sha256(gguf) },
    },
  };
}
