import { createHash } from 'node:crypto';
import type { PromptSegment } from './generation.ts';
import type { KeyValueSnapshot } from './key-value-cache.ts';

/** Enough for a few prompt versions of a few hundred virtual tokens on a small model; the oldest unused goes first. */
const MAX_PREFIX_BYTES = 128 * 1024 * 1024;

/**
 * Keys and values of what stands at the head of a conversation up to and with its soft prompt: the same for every request under one
 * prompt version, so computed once.
 */
export interface PrefixCache {
  get(key: string): KeyValueSnapshot | undefined;
  set(key: string, snapshot: KeyValueSnapshot): void;
}

export function createPrefixCache(maxBytes = MAX_PREFIX_BYTES): PrefixCache {
  // A Map keeps insertion order: the first key is the one unused for longest.
  const entries = new Map<string, KeyValueSnapshot>();
  let bytes = 0;
  return {
    get(key) {
      const found = entries.get(key);
      if (found !== undefined) {
        entries.delete(key);
        entries.set(key, found);
      }
      return found;
    },
    set(key, snapshot) {
      if (snapshot.bytes > maxBytes || entries.has(key)) return;
      entries.set(key, snapshot);
      bytes += snapshot.bytes;
      for (const [oldest, entry] of entries) {
        if (bytes <= maxBytes) break;
        entries.delete(oldest);
        bytes -= entry.bytes;
      }
    },
  };
}

/** Names the segments by their content: a soft prompt by its digest, tokens by their ids. */
export function prefixKey(segments: readonly PromptSegment[]): string {
  const hash = createHash('sha256');
  for (const segment of segments) {
    hash.update(
      'softPrompt' in segment ? `prompt:${segment.softPrompt.digest};` : `tokens:${segment.tokens.join(',')};`,
    );
  }
  return hash.digest('hex');
}
