import { parseArgs } from 'node:util';
import t from 'tap';
import { runChaos } from './chaos.ts';

/** A run that is part of every check: the same events each time, though not to the millisecond. */
const SHORT_SECONDS = 50;
const USUAL_SEED = 7;
/** Beside the run itself: starting, warming up, resting, and what is slow on a full machine. */
const AROUND_SECONDS = 900;
/** What a gateway may hold more than after its warm-up: compiled code, and tables that grew with the first of each fault. */
const HELD_MORE_BYTES = 12 * 2 ** 20;
const SOCKETS_MORE = 6;

const { values } = parseArgs({
  args: process.argv.slice(2),
  strict: false,
  options: { seed: { type: 'string' }, minutes: { type: 'string' } },
});
const seed = values['seed'] === undefined ? USUAL_SEED : Number(values['seed']);
const seconds = values['minutes'] === undefined ? SHORT_SECONDS : Number(values['minutes']) * 60;
t.setTimeout((seconds + AROUND_SECONDS) * 1000);

t.test(`one thing after the other breaks, and no answer is lost or wrong (--seed ${seed})`, async (t) => {
  const since = performance.now();
  const onProgress = (line: string) =>
    process.stderr.write(`chaos --seed ${seed}, ${((performance.now() - since) / 1000).toFixed(1)} s: ${line}\n`);
  const { faults, counts, before, after, longestLag, lastLines } = await runChaos(t, {
    seed,
    seconds,
    socketsMore: SOCKETS_MORE,
    onProgress,
  });
  t.comment([...counts].map(([what, count]) => `${what}: ${count}`).join('\n'));
  t.comment(
    `figure: chaos --seed ${seed}: ${counts.get('complete')} whole answers in ${seconds} s, ${faults.length} faults`,
  );
  t.comment(`an old version was applied for ${Math.round(longestLag)} ms at most while nothing was broken`);
  t.comment(`held before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
  if (faults.length > 0) {
    for (const [name, lines] of lastLines) process.stderr.write(`the last of ${name}:\n${lines}\n`);
  }
  t.same(faults, [], 'every request was answered, in words at least, under the right version, and decided once');
  const held = after.heapUsed + after.external - before.heapUsed - before.external;
  t.ok(held < HELD_MORE_BYTES, `memory came back to its baseline: ${(held / 2 ** 20).toFixed(1)} MiB more`);
  t.ok(after.sockets <= before.sockets + SOCKETS_MORE, `so did its sockets: ${before.sockets}, then ${after.sockets}`);
  t.ok((counts.get('complete') ?? 0) > seconds, 'most of the time answers came');
});
