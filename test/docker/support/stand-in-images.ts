import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { dockerFolder } from './files.ts';

const run = promisify(execFile);

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** What the steps of the Dockerfile run, besides Node and npm. */
const PROGRAMS = ['/bin/sh', '/usr/bin/env', '/bin/mkdir', '/bin/rm', '/usr/bin/find'];
/** glibc's other libraries: what looks up hosts, and what programs that are older than 2.34 ask for. */
const SYSTEM_LIBRARIES = [
  'libdl.so.2',
  'libm.so.6',
  'libnss_dns.so.2',
  'libnss_files.so.2',
  'libpthread.so.0',
  'libresolv.so.2',
  'librt.so.1',
  'libutil.so.1',
];

export interface Builder {
  /** Somewhere to put things; gone with the test. */
  readonly folder: string;
  /** Its standard output. Throws with what it said. */
  buildah(...args: string[]): Promise<string>;
}

/**
 * A builder whose base images are made of this machine's own files, under the names that the Dockerfile gives: no registry is asked, so that the
 * Dockerfile itself can be built where none is reached. As in the originals, one has Node, npm and a shell, the other libraries and certificates alone.
 */
export async function startBuilder(t: Test): Promise<Builder> {
  const folder = await mkdtemp(join(tmpdir(), 'preamble-image-'));
  const policy = join(folder, 'policy.json');
  const registries = join(folder, 'registries.conf');
  await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  await writeFile(registries, 'unqualified-search-registries = []\n');
  const places = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run'), '--registries-conf', registries];
  const buildah = async (command: string, ...args: string[]) => {
    const signed = ['build', 'commit'].includes(command) ? ['--signature-policy', policy] : [];
    const all = [...places, '--storage-driver', 'overlay', command, ...signed, ...args];
    return (await run('buildah', all, { maxBuffer: 2 ** 26 })).stdout.trim();
  };
  t.teardown(async () => {
    await buildah('rm', '--all').catch(() => {});
    // Where the store was mounted.
    await run('umount', ['-l', join(folder, 'store', 'overlay')]).catch(() => {});
    await rm(folder, { recursive: true, force: true });
  });
  const [node = '', runtime = ''] = await baseImages();
  await commit(buildah, await nodeRoot(folder), node, '0:0');
  await commit(buildah, await plainRoot(folder, 'runtime'), runtime, '65532:65532');
  return { folder, buildah };
}

/** As the Dockerfile names them: with Node, and to run on. */
async function baseImages(): Promise<string[]> {
  const text = await readFile(join(dockerFolder, 'Dockerfile'), 'utf8');
  return ['NODE_IMAGE', 'RUNTIME_IMAGE'].map((name) => new RegExp(`^ARG ${name}=(.+)$`, 'm').exec(text)?.[1] ?? '');
}

async function commit(buildah: Builder['buildah'], root: string, name: string, user: string): Promise<void> {
  const container = await buildah('from', 'scratch');
  await buildah('copy', '--quiet', container, root, '/');
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  // Registries of packages may be reached through a proxy whose authority only this machine knows.
  const settings = ['--env', path, '--env', `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, '--user', user];
  await buildah('config', ...settings, container);
  await buildah('commit', '--quiet', container, name);
  await buildah('rm', container);
}

async function plainRoot(folder: string, name: string): Promise<string> {
  const root = join(folder, name);
  for (const path of ['tmp', 'etc', 'root', 'home/nonroot', 'proc', 'sys', 'dev', 'run']) {
    await mkdir(join(root, path), { recursive: true });
  }
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:\nnonroot:x:65532:65532::/home/nonroot:\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n');
  await copyInto(root, CERTIFICATES);
  await copyInto(root, '/etc/nsswitch.conf');
  const libraries = await librariesOf(process.execPath);
  for (const library of libraries) await copyInto(root, library);
  const system = dirname(libraries.find((path) => path.includes('libc.so')) ?? '/lib');
  for (const library of SYSTEM_LIBRARIES) await copyInto(root, join(system, library));
  return root;
}

async function nodeRoot(folder: string): Promise<string> {
  const root = await plainRoot(folder, 'node');
  for (const program of PROGRAMS) {
    for (const file of [program, ...(await librariesOf(program))]) await copyInto(root, file);
  }
  await copyInto(root, process.execPath, '/usr/local/bin/node');
  const { stdout } = await run('npm', ['root', '--global']);
  await cp(join(stdout.trim(), 'npm'), join(root, 'usr/local/lib/npm'), { recursive: true });
  await symlink('../lib/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  return root;
}

async function copyInto(root: string, path: string, as = path): Promise<void> {
  const target = join(root, as);
  await mkdir(dirname(target), { recursive: true });
  await cp(path, target, { dereference: true, mode: 0 });
}

async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
}
