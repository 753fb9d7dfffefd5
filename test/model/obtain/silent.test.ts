import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { Agent } from 'undici';
import { downloadFile } from '../../../src/model/obtain/download.ts';
import { pattern } from './support/tiny-model.ts';

t.test('a server that falls silent in mid-file is left and asked for the rest', async (t) => {
  const bytes = pattern(100_000, 5);
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    const start = Number(request.headers.range?.slice(6, -1) ?? 0);
    const headers = { 'content-length': bytes.length - start };
    if (start === 0) return void response.writeHead(200, headers).write(bytes.subarray(0, 40_000));
    const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(206, { ...headers, 'content-range': range }).end(bytes.subarray(start));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // The product's own limit is 30 s of silence; the behaviour behind it is the same.
  const dispatcher = new Agent({ bodyTimeout: 500 });
  t.teardown(async () => {
    await dispatcher.destroy();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const path = join(t.testdir({}), 'file');
  await downloadFile({
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/file`,
    headers: {},
    path,
    expected: {
      name: 'file',
      size: bytes.length,
      digest: { algorithm: 'sha256', hex: createHash('sha256').update(bytes).digest('hex') },
    },
    dispatcher,
    signal: undefined,
    onProgress: () => {},
  });
  t.same(await readFile(path), bytes);
  t.same(ranges, [undefined, 'bytes=40000-']);
});
