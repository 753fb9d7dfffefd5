import t from 'tap';
import { buildTiny, modelName } from '../helpers/build.ts';

t.test('a wrong method is refused with the right ones, and OPTIONS says them', async (t) => {
  const { origin } = await buildTiny(t);
  const paths: [path: string, allowed: string, wrong: string[]][] = [
    ['/v1/chat/completions', 'POST, OPTIONS', ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD']],
    ['/v1/completions', 'POST, OPTIONS', ['GET', 'DELETE']],
    ['/v1/models', 'GET, HEAD, OPTIONS', ['POST', 'DELETE']],
    [`/v1/models/${modelName}`, 'GET, HEAD, OPTIONS', ['POST', 'DELETE']],
    ['/healthz', 'GET, HEAD, OPTIONS', ['POST']],
    ['/readyz', 'GET, HEAD, OPTIONS', ['POST']],
  ];
  for (const [path, allowed, wrong] of paths) {
    for (const method of wrong) {
      const response = await fetch(`${origin}${path}`, { method });
      const name = `${method} ${path}`;
      t.equal(response.status, 405, name);
      t.equal(response.headers.get('allow'), allowed, name);
      t.ok(response.headers.get('x-request-id'), name);
      if (method === 'HEAD') continue;
      t.match(await response.json(), {
        error: {
          code: 'method_not_allowed',
          type: 'invalid_request_error',
          message: RegExp(`^${method} is not allowed`),
        },
      });
    }
    const options = await fetch(`${origin}${path}`, { method: 'OPTIONS' });
    t.equal(options.status, 204, path);
    t.equal(options.headers.get('allow'), allowed, path);
  }
});
