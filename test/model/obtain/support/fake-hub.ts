import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TinyFile } from './tiny-model.ts';

export const repository = 'tiny/model';
export const revision = 'a'.repeat(40);

/** What the hub does wrong, or slowly, with the weights. Each is asked anew for every request. */
export interface Faults {
  /** Breaks the connection after so many bytes of an answer's body; undefined sends it whole. */
  cutAfter?: () => number | undefined;
  /** Sends these bytes in place of the file's. */
  bytes?: () => Buffer;
  /** What content-length says, whatever is sent. */
  contentLength?: (real: number) => number;
  /** No content-length, chunked. */
  chunked?: boolean;
  /** Ignores `range`. */
  noRanges?: boolean;
  status?: () => number;
  /** The weights are answered after this. */
  held?: Promise<void>;
  /** Bytes sent between pauses of 10 ms. */
  slowly?: number;
}

export interface FakeHub {
  endpoint: string;
  /** The range asked for with each request of the weights, null where none. */
  weightRequests: (string | null)[];
  requests: number;
}

interface Teardown {
  teardown(work: () => Promise<void>): void;
}

/** A server that speaks as much of the hub as fetching a model takes: commit, file list with digests, files with ranges. */
export async function fakeHub(t: Teardown, files: readonly TinyFile[], faults: Faults = {}): Promise<FakeHub> {
  const hub: FakeHub = { endpoint: '', weightRequests: [], requests: 0 };
  const server = createServer((request, response) => {
    hub.requests++;
    const path = new URL(request.url ?? '', 'http://hub').pathname;
    if (path === `/api/models/${repository}/revision/HEAD`) {
      return json(response, { _id: '1', id: repository, sha: revision, likes: 0, downloads: 0 });
    }
    if (path === `/api/models/${repository}/tree/${revision}`) return json(response, files.map(listEntry));
    const file = files.find(({ name }) => path === `/${repository}/resolve/${revision}/${name}`);
    if (file === undefined) return response.writeHead(404).end();
    const weights = file.name === 'model.safetensors';
    if (weights) hub.weightRequests.push(request.headers.range ?? null);
    send(request, response, file.bytes, weights ? faults : {}).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  hub.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return hub;
}

async function send(request: IncomingMessage, response: ServerResponse, real: Buffer, faults: Faults): Promise<void> {
  await faults.held;
  const status = faults.status?.();
  if (status !== undefined && status !== 200) return void response.writeHead(status).end('no');
  const whole = faults.bytes?.() ?? real;
  const range = faults.noRanges ? null : /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const start = Number(range?.[1] ?? 0);
  if (range !== null && start >= whole.length) return void response.writeHead(416).end();
  const body = whole.subarray(start);
  const headers: Record<string, string | number> = {};
  if (!faults.chunked) headers['content-length'] = faults.contentLength?.(body.length) ?? body.length;
  if (range !== null) headers['content-range'] = `bytes ${start}-${whole.length - 1}/${whole.length}`;
  response.writeHead(range === null ? 200 : 206, headers);
  const cut = faults.cutAfter?.();
  const sent = cut === undefined ? body : body.subarray(0, cut);
  const step = faults.slowly ?? sent.length;
  for (let i = 0; i < sent.length; i += step) {
    response.write(sent.subarray(i, i + step));
    if (faults.slowly !== undefined) await sleep(10);
  }
  if (cut === undefined) response.end();
  // The bytes written so far should leave the machine before the connection breaks.
  else setTimeout(() => response.destroy(), 20);
}

function listEntry({ name, bytes }: TinyFile) {
  const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const entry = { type: 'file', oid, size: bytes.length, path: name };
  if (name !== 'model.safetensors') return entry;
  const lfs = { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, pointerSize: 134 };
  return { ...entry, lfs };
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
