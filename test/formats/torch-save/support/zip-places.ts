/** Where the parts of one file of an archive lie, so that a test can write lies there. */
export interface ZipPlaces {
  /** Its local header. */
  local: number;
  /** Its entry in the directory. */
  entry: number;
  data: number;
  /** Behind its data. */
  end: number;
}

/** The archive's end record. */
export const endRecord = (archive: Buffer) => archive.length - 22;

/** Reads the archive as its writers mean it, with none of the reader's checks. */
export function placesOf(archive: Buffer, name: string): ZipPlaces {
  let entry = archive.readUInt32LE(endRecord(archive) + 16);
  for (let left = archive.readUInt16LE(endRecord(archive) + 10); left > 0; left--) {
    const nameLength = archive.readUInt16LE(entry + 28);
    if (archive.toString('latin1', entry + 46, entry + 46 + nameLength).endsWith(name)) {
      const local = archive.readUInt32LE(entry + 42);
      const data = local + 30 + nameLength + archive.readUInt16LE(local + 28);
      return { local, entry, data, end: data + archive.readUInt32LE(entry + 24) };
    }
    entry += 46 + nameLength;
  }
  throw new Error(`the archive holds no ${name}`);
}
