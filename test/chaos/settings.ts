import { rename, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { keyDigest } from '../../src/policy/tenant-of-key.ts';
import { PROMPT } from './versions.ts';

/** Tenants' keys: one whose limits are counted and never reached, one who reaches them, and one without. */
export const KEYS = ['pmb_far', 'pmb_near', 'pmb_none'] as const;
/** A stall ends in an error after so long; a client that does not read is cut off after so long. */
const SILENCE_SECONDS = 3;
const STALLED_CLIENT_SECONDS = 3;

export interface ChangingSettings {
  /** Of the model `pinned`; `chat` has what is promoted. */
  pinned: string;
  /** Another value makes new backends of all models. */
  connections: number;
}

export interface FixedSettings {
  readonly file: string;
  readonly servers: readonly string[];
  readonly redis: string;
}

export async function writeSettings(fixed: FixedSettings, { pinned, connections }: ChangingSettings): Promise<void> {
  const backend = {
    kind: 'vllm',
    urls: fixed.servers,
    connections,
    timeouts: { connectSeconds: 2, firstByteSeconds: SILENCE_SECONDS, betweenBytesSeconds: SILENCE_SECONDS },
    health: { intervalSeconds: 1, failures: 3, ejectSeconds: 1, slowStartSeconds: 1 },
  };
  const far = { requestsPerMinute: 1e9, tokensPerMinute: 1e9, streams: 1e6 };
  const tenants = [
    { id: 'far', keys: [keyDigest(KEYS[0])], limits: far },
    { id: 'near', keys: [keyDigest(KEYS[1])], limits: { requestsPerMinute: 240, streams: 4 } },
    { id: 'none', keys: [keyDigest(KEYS[2])] },
  ];
  const settings = {
    admin: { port: 0 },
    promptDirectories: ['prompts'],
    models: {
      chat: { prompt: PROMPT, onPromptUnavailable: 'refuse', backend },
      pinned: { prompt: `${PROMPT}@${pinned}`, onPromptUnavailable: 'refuse', backend },
    },
    tenants,
    redis: { url: fixed.redis, onUnavailable: 'local', responseSeconds: 60 },
    limits: { stalledClientSeconds: STALLED_CLIENT_SECONDS, requestSeconds: 30, drainSeconds: 15 },
  };
  // Whole or not at all, for a gateway that starts in this moment.
  await writeFile(`${fixed.file}.new`, stringify(settings));
  await rename(`${fixed.file}.new`, fixed.file);
}

/** What a full disk, a hand that slipped, and no hand at all leave behind. */
export const BROKEN = ['', 'models: [', 'models: {}\ntenants: []\n'] as const;

export async function breakSettings({ file }: FixedSettings, text: string): Promise<void> {
  await writeFile(file, text);
}
