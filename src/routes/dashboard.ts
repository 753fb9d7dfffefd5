import type { FastifyInstance } from 'fastify';
import { renderPanels } from '../dashboard/panels.ts';
import { PROMPTS_PATH, renderWhere } from '../dashboard/prompt-page-links.ts';
import { createRecorder } from '../dashboard/recorder.ts';
import { renderPage } from '../dro/report/page.ts';
import { contentSecurityPolicy, reportStyle } from '../dro/report/report-style.ts';
import { element } from '../formats/markup.ts';
import type { Gateway } from '../gateway.ts';
import { dashboardPromptRoutes } from './dashboard-prompts.ts';

/** For people on call: what is asked, refused and failing now. The page fetches nothing and runs nothing. */
export async function dashboardRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  const recorder = createRecorder(gateway.observations);
  app.addHook('onClose', async () => recorder.close());
  await app.register(dashboardPromptRoutes, { gateway, recorder });
  app.get('/dashboard', async (_request, reply) => {
    const page = renderPage({
      title: 'Preamble',
      styles: [reportStyle],
      body: [
        element('header', {}, element('h1', {}, 'Preamble'), renderWhere([PROMPTS_PATH, 'Prompts'])),
        element('main', {}, ...renderPanels(gateway, recorder, Date.now())),
      ],
    });
    return reply
      .header('content-security-policy', `${contentSecurityPolicy}; frame-ancestors 'none'`)
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(page);
  });
}
