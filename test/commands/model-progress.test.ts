import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { modelProgress } from '../../src/commands/model-progress.ts';
import type { ModelEvent } from '../../src/model/obtain/events.ts';

const download = (done: number): ModelEvent => ({ kind: 'progress', step: 'download', name: 'm', done, total: 1000 });

function on(isTTY: boolean) {
  const stderr: PassThrough & { isTTY?: boolean } = new PassThrough();
  stderr.isTTY = isTTY;
  const progress = modelProgress({ stdout: new PassThrough(), stderr });
  return { progress, written: () => String(stderr.read() ?? '') };
}

t.test('without a terminal there are plain lines, and none about what is quick', async (t) => {
  const { progress, written } = on(false);
  progress.onEvent(download(0));
  progress.onEvent(download(1000));
  progress.onEvent({ kind: 'notice', message: 'The hub is away.' });
  t.equal(written(), 'The hub is away.\n');
  progress.onEvent(download(0));
  await sleep(1100);
  progress.onEvent(download(500));
  progress.onEvent(download(600));
  progress.onEvent(download(1000));
  t.equal(written(), 'Downloading m: 50% of 1.0 kB\nDownloading m: done\n');
});

t.test('on a terminal there is a bar, which is gone before a notice', async (t) => {
  const { progress, written } = on(true);
  progress.onEvent(download(100));
  t.match(written(), 'Downloading m [');
  progress.onEvent({ kind: 'notice', message: 'The hub is away.' });
  t.match(written(), /The hub is away\.\n$/);
  progress.stop();
});
