import type { FastifyInstance } from 'fastify';
import { renderPanels } from '../dashboard/panels.ts';
import { createRecorder } from '../dashboard/recorder.ts';
import { contentSecurityPolicy, reportStyle } from '../dro/report/report-style.ts';
import { element, markupText } from '../formats/markup.ts';
import type { Gateway } from '../gateway.ts';

/** For people on call: what is asked, refused and failing now. The page fetches nothing and runs nothing. */
export async function dashboardRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  const recorder = createRecorder(gateway.observations);
  app.addHook('onClose', async () => recorder.close());
  app.get('/dashboard', async (_request, reply) => {
    const page = element(
      'html',
      { lang: 'en' },
      element(
        'head',
        {},
        element('meta', { charset: 'utf-8' }),
        element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
        element('title', {}, 'Preamble'),
        element('style', {}, reportStyle),
      ),
      element(
        'body',
        {},
        element('header', {}, element('h1', {}, 'Preamble')),
        element('main', {}, ...renderPanels(gateway, recorder, Date.now())),
      ),
    );
    return reply
      .header('content-security-policy', `${contentSecurityPolicy}; frame-ancestors 'none'`)
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(`<!DOCTYPE html>\n${markupText(page)}\n`);
  });
}
