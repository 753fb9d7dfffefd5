/** The records of a zip archive (APPNOTE 6.3): how each starts, and the bytes of its fixed part. */
export const LOCAL_HEADER = { signature: 0x04034b50, bytes: 30 } as const;
export const DATA_DESCRIPTOR = { signature: 0x08074b50, bytes: 16 } as const;
export const DIRECTORY_ENTRY = { signature: 0x02014b50, bytes: 46 } as const;
export const ZIP64_END = { signature: 0x06064b50, bytes: 56 } as const;
export const ZIP64_LOCATOR = { signature: 0x07064b50, bytes: 20 } as const;
export const DIRECTORY_END = { signature: 0x06054b50, bytes: 22 } as const;

/** Method 0: the data as it is. */
export const STORED = 0;
