import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { Builder } from './stand-in-images.ts';

const words = Type.Array(Type.String());
const imageSchema = Type.Object({
  User: Type.String(),
  Env: words,
  Entrypoint: words,
  Cmd: words,
  WorkingDir: Type.String(),
  StopSignal: Type.String(),
  Healthcheck: Type.Object({ Test: words }),
  Volumes: Type.Record(Type.String(), Type.Object({})),
  ExposedPorts: Type.Record(Type.String(), Type.Object({})),
  Labels: Type.Record(Type.String(), Type.String()),
});

/** What an image says of itself. */
export type ImageSettings = Static<typeof imageSchema>;

export async function imageSettings({ buildah }: Builder, image: string): Promise<ImageSettings> {
  const inspected = Value.Parse(
    Type.Object({ Docker: Type.Object({ config: Type.Unknown() }) }),
    JSON.parse(await buildah('inspect', '--type', 'image', image)),
  );
  return Value.Parse(imageSchema, inspected.Docker.config);
}

export interface Container {
  /** What it wrote so far. */
  output(): string;
  /** The exit code of a command beside it, in the same container. */
  exec(command: readonly string[]): Promise<number>;
  signal(name: NodeJS.Signals): Promise<void>;
  /** What the kernel says of its first process, as /proc has it. */
  status(): Promise<string>;
  /** Its exit code. */
  readonly ended: Promise<unknown>;
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly writable?: boolean;
}

/** What tap gives every process that a test starts names files that are not in the image. */
const PLAIN = ['--unset=NODE_OPTIONS'];

/**
 * The first process of namespaces of its own: mounts what a container has over the image's root, makes that root read-only, and becomes the image's
 * command. What it has no right to any more it can't get back: it is no longer root, and gains nothing by running other programs.
 */
const START = `
set -e
root=$1 uid=$2 gid=$3 directory=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o nosuid,noexec,nodev,mode=1777,size=64m tmp "$root/tmp"
mount -t tmpfs -o nosuid,mode=755,size=64k dev "$root/dev"
for device in null zero urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
while [ "$1" != -- ]; do
  mount --bind "$1" "$root$2"
  mount -o "remount,bind,nosuid,nodev,$3" "$root$2"
  shift 3
done
shift
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs unshare --root "$root" --wd "$directory" --setgid "$gid" --setuid "$uid" "$@"
`;

/**
 * The image's own command with the rights that the chart gives it: its user, no capabilities, no new privileges, a root that can't be written, and of
 * this machine nothing but the network and the mounts. By util-linux alone: no engine and no runtime is needed, but root is.
 */
export async function startContainer(
  t: Test,
  builder: Builder,
  image: string,
  { mounts, environment }: { mounts: readonly Mount[]; environment: Record<string, string> },
): Promise<Container> {
  const settings = await imageSettings(builder, image);
  const root = await builder.buildah('mount', await builder.buildah('from', '--pull-never', image));
  for (const { source, target } of mounts) await makeMountPoint(source, join(root, target));
  const env = { ...Object.fromEntries(settings.Env.map((line) => line.split(/=(.*)/s, 2))), ...environment };
  const [uid = '', gid = ''] = settings.User.split(':');
  const bound = mounts.flatMap(({ source, target, writable }) => [source, target, writable === true ? 'rw' : 'ro']);
  const command = [...settings.Entrypoint, ...settings.Cmd];
  const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child'];
  const started = ['sh', '-c', START, 'sh', root, uid, gid, settings.WorkingDir, ...bound, '--', ...command];
  const child = spawn('/usr/bin/env', [...PLAIN, 'unshare', ...namespaces, ...started], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const first = () => {
    if (child.exitCode !== null) throw new Error(`It has ended: ${output}`);
    return firstProcess(child.pid ?? 0);
  };
  return {
    output: () => output,
    exec: async (command) => {
      const place = ['--mount', '--pid', '--root', '--wd', '--setgid', gid, '--setuid', uid];
      const beside = spawn('/usr/bin/env', [...PLAIN, 'nsenter', '--target', await first(), ...place, ...command], {
        env,
        stdio: 'ignore',
      });
      const [code] = await once(beside, 'close');
      return typeof code === 'number' ? code : -1;
    },
    signal: async (name) => void process.kill(Number(await first()), name),
    status: async () => readFile(join('/proc', await first(), 'status'), 'utf8'),
    ended: once(child, 'close').then(([code]) => code),
  };
}

/** The one that is first in its namespace, by its number in this one. */
async function firstProcess(parent: number): Promise<string> {
  return (await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')).trim();
}

/** Engines make them too where the image has none. */
async function makeMountPoint(source: string, target: string): Promise<void> {
  const directory = (await stat(source)).isDirectory();
  await mkdir(directory ? target : dirname(target), { recursive: true });
  if (!directory) await writeFile(target, '', { flag: 'a' });
}
