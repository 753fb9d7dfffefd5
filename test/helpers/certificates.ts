import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { temporaryDirectory } from './redis.ts';

const run = promisify(execFile);

export interface Certificates {
  /** The authority, which clients trust. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority of the test's own, and a certificate of it for 127.0.0.1; made by openssl, good for a day. */
export async function makeCertificates(t: Test): Promise<Certificates> {
  const cwd = await temporaryDirectory(t);
  const openssl = (...args: string[]) => run('openssl', args, { cwd });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '1',
    '-subj',
    '/CN=Test authority',
  );
  const name = ['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'redis.key',
    '-out',
    'redis.pem',
    '-days',
    '1',
    ...name,
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
  );
  return {
    authority: join(cwd, 'ca.pem'),
    certificate: join(cwd, 'redis.pem'),
    key: join(cwd, 'redis.key'),
  };
}

export function tlsFlags({ authority, certificate, key }: Certificates): string[] {
  return ['--port', '0', '--tls-port', 'PORT', '--tls-cert-file', certificate, '--tls-key-file', key].concat([
    '--tls-ca-cert-file',
    authority,
    '--tls-auth-clients',
    'no',
    '--tls-cluster',
    'yes',
    '--tls-replication',
    'yes',
  ]);
}
