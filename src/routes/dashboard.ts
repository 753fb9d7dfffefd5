import type { FastifyInstance } from 'fastify';
import { readAssets } from '../dashboard/assets.ts';
import { renderPage } from '../dashboard/page.ts';
import { show } from '../dashboard/panels.ts';
import { createRecorder } from '../dashboard/recorder.ts';
import { createRolloutsReader } from '../dashboard/rollouts-reader.ts';
import type { DashboardState } from '../dashboard/state.ts';
import { createSubscribers, MAX_SUBSCRIBERS } from '../dashboard/subscribers.ts';
import { readView } from '../dashboard/view.ts';
import { PreambleError } from '../errors.ts';
import { markupText } from '../formats/markup.ts';
import type { Gateway } from '../gateway.ts';
import { dashboardPromptRoutes } from './dashboard-prompts.ts';
import { beginEventStream } from './event-stream.ts';

/** Milliseconds until a browser connects anew. */
const RETRY_MS = 2_000;

/** For people on call: what is asked, refused and failing now, by which prompt and on which server. */
export async function dashboardRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  const recorder = createRecorder(gateway.observations);
  const rollouts = createRolloutsReader(gateway.rollouts, Date.now);
  const stateNow = async (): Promise<DashboardState> => ({
    gateway,
    recorder,
    rollouts: await rollouts.read(),
    now: Date.now(),
  });
  const subscribers = createSubscribers(
    async (views) => {
      const state = await stateNow();
      return views.map((view) => show(state, view));
    },
    (err) => app.log.error({ err }, 'the dashboard could not be brought up to date'),
  );
  app.addHook('preClose', async () => subscribers.close());
  app.addHook('onClose', async () => recorder.close());

  await app.register(dashboardPromptRoutes, { gateway, recorder });

  app.get('/dashboard', async (request, reply) => {
    const view = readView(request.query);
    const page = renderPage(view, show(await stateNow(), view).panels);
    return reply
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(`<!DOCTYPE html>\n${markupText(page)}\n`);
  });

  app.get('/dashboard/events', async (request, reply) => {
    const added = subscribers.add(readView(request.query), () => {
      const raw = beginEventStream(reply, 200);
      raw.write(`retry: ${RETRY_MS}\n\n`);
      return raw;
    });
    if (added) return;
    throw new PreambleError('queue_full', `${MAX_SUBSCRIBERS} pages are kept up to date already.`, {
      action: 'Close one that nobody looks at.',
    });
  });

  for (const { path, type, text, tag } of await readAssets()) {
    app.get(path, async (request, reply) => {
      reply.header('cache-control', 'no-cache').header('etag', tag);
      if (request.headers['if-none-match'] === tag) return reply.code(304).send();
      return reply.type(type).send(text);
    });
  }
}
