import t from 'tap';
import { buildTiny, modelName } from '../helpers/build.ts';

t.test('a body is JSON that says so; anything else is refused before it is looked at', async (t) => {
  const { origin } = await buildTiny(t);
  const valid = JSON.stringify({ model: modelName, prompt: 'Hi', max_tokens: 1 });
  const post = (body: string | Uint8Array | undefined, type?: string) =>
    fetch(`${origin}/v1/completions`, {
      method: 'POST',
      headers: type === undefined ? {} : { 'content-type': type },
      ...(body === undefined ? {} : { body }),
    });

  for (const type of ['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON']) {
    t.equal((await post(valid, type)).status, 200, type);
  }
  // A page of any origin may send the first three to this machine's ports without asking (CORS).
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/json',
    'x',
  ]) {
    const response = await post(valid, type);
    t.equal(response.status, 415, type);
    t.match(await response.json(), {
      error: { code: 'unsupported_media_type', type: 'invalid_request_error', message: /application\/json/ },
    });
  }
  t.equal((await post(Buffer.from(valid))).status, 415, 'without a content-type');

  const broken: [name: string, body: string | Uint8Array | undefined, message: RegExp][] = [
    ['nothing', undefined, /has no body/],
    ['a cut-off object', valid.slice(0, -1), /is not valid JSON/],
    ['two objects', valid + valid, /is not valid JSON/],
    ['NaN', valid.replace('1', 'NaN'), /is not valid JSON/],
    ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /not UTF-8/],
    ['a list', '[]', /must be a JSON object/],
    ['null', 'null', /must be a JSON object/],
  ];
  for (const [name, body, message] of broken) {
    const response = await post(body, 'application/json');
    t.equal(response.status, 400, name);
    t.match(await response.json(), { error: { code: 'invalid_request', message } }, name);
  }
});
