import { element, type Markup } from '../../formats/markup.ts';
import type { RedisState } from '../../redis/connection.ts';
import { code, renderMoment, renderState } from './parts.ts';

/** What gateways share, and how that stands. */
export function renderRedis(state: RedisState | null): Markup {
  if (state === null) {
    return element(
      'p',
      {},
      renderState('neutral', 'not configured'),
      ': this gateway counts limits and keeps rollouts by itself. With ',
      code('redis.url'),
      ' in its settings, several gateways share them.',
    );
  }
  if (state.status === 'connected') {
    return element('p', {}, renderState('good', 'connected'), ': limits, prompts and rollouts are shared.');
  }
  return element(
    'p',
    {},
    renderState('bad', `degraded: ${state.reason}`),
    ', since ',
    renderMoment(state.since),
    '. Requests are answered with what this gateway knows.',
  );
}
