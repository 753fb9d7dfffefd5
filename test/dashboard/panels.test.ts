import t from 'tap';
import { renderPrompt } from '../../src/dashboard/panels/parts.ts';
import { renderRedis } from '../../src/dashboard/panels/redis.ts';
import { renderRollouts } from '../../src/dashboard/panels/rollouts.ts';
import { element, markupText } from '../../src/formats/markup.ts';
import type { Counts } from '../../src/rollout/counts.ts';
import { evidenceOf, judge } from '../../src/rollout/judge.ts';
import { ended, type NewRollout, started } from '../../src/rollout/record.ts';
import type { RolloutStatus } from '../../src/rollout/rollouts.ts';
import { parseMarkup, textOf } from '../helpers/parse-markup.ts';

const text = (...markups: Parameters<typeof element>[2][]) =>
  textOf(parseMarkup(markupText(element('div', {}, ...markups))));

const at = new Date('2026-11-24T10:00:00Z');
const wanted: NewRollout = {
  name: 'careful',
  model: null,
  stable: { version: '1.0.0', digest: 'a'.repeat(64) },
  candidate: { version: '1.1.0', digest: 'b'.repeat(64) },
  shadow: false,
  share: 0.2,
  until: ['requests >= 1000'],
};
const counts: Counts = {
  '0/stable/mixed/refusal/n': 400,
  '0/stable/mixed/refusal/k': 20,
  '0/candidate/mixed/refusal/n': 100,
  '0/candidate/mixed/refusal/k': 50,
  '0/candidate/mixed/error/n': 100,
};

t.test('a running rollout stands with what speaks against its candidate', async (t) => {
  const rollout = started(null, wanted, at);
  const said = text(renderRollouts({ kind: 'known', statuses: [{ rollout, verdict: judge(rollout, counts) }] }));
  t.match(said, 'careful@1.1.0in 20% of conversations, beside careful@1.0.0, since 2026-11-24 10:00');
  t.match(said, 'refused5% of 40050% of 100');
  t.match(said, 'requests >= 1000 not shown yet (100)');
  t.notMatch(said, 'No rollout is running');
});

t.test('one that was aborted says by whom and with which evidence; the last few are told of', async (t) => {
  const statuses = Array.from({ length: 5 }, (_, index): RolloutStatus => {
    const running = started(null, { ...wanted, name: `p${index}` }, at);
    const verdict = judge(running, counts);
    const end = { status: 'aborted', by: 'guardrail', evidence: evidenceOf(verdict) } as const;
    return { rollout: ended(running, running.name, end, new Date(at.getTime() + index * 60_000)), verdict };
  });
  const said = text(renderRollouts({ kind: 'known', statuses }));
  t.match(said, 'No rollout is running');
  t.match(
    said,
    /p4@1\.1\.0 was aborted by a guardrail, 2026-11-24 10:04: refused 50% of 100 against 5% of 400, evidence/,
  );
  t.notMatch(said, 'p1@');
});

t.test('without their store the page says why, and stands', async (t) => {
  t.match(text(renderRollouts({ kind: 'unavailable', reason: 'Redis does not answer.' })), 'Redis does not answer.');
  t.match(text(renderRollouts({ kind: 'none' })), 'preamble rollout start');
});

t.test('Redis: shared, away since when, or not there', async (t) => {
  t.match(text(renderRedis(null)), 'not configured');
  t.match(text(renderRedis({ status: 'connected' })), 'connected');
  const away = renderRedis({ status: 'degraded', reason: 'the connection was refused', since: at });
  t.match(text(away), 'degraded: the connection was refused, since 2026-11-24 10:00.');
});

t.test('a prompt is a link to its own page, and what is none is text', async (t) => {
  const markup = (label: string) => markupText(element('p', {}, renderPrompt(label)));
  t.equal(markup('a/b@1.0.0-rc.1'), '<p><a href="/dashboard/prompts/a/b/1.0.0-rc.1">a/b@1.0.0-rc.1</a></p>');
  t.equal(markup('none'), '<p>none</p>');
  t.equal(markup('"><x>@1'), '<p><a href="/dashboard/prompts/%22%3E%3Cx%3E/1">&quot;&gt;&lt;x&gt;@1</a></p>');
});
