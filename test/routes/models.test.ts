import { NotFoundError } from 'openai';
import t from 'tap';
import { buildTiny, collect, modelName } from '../helpers/build.ts';

t.test('the models that are served, one by one and together, whatever their names', async (t) => {
  const { origin, client } = await buildTiny(t);
  const models = await collect(client.models.list());
  t.match(models, [{ id: modelName, object: 'model', owned_by: 'preamble' }]);
  t.ok(Number.isInteger(models[0]?.created));
  t.ok(modelName.includes('/'));
  t.strictSame(await client.models.retrieve(modelName), models[0], 'the slash encoded, as the client library sends it');
  const plain = await fetch(`${origin}/v1/models/${modelName}`);
  t.strictSame(await plain.json(), models[0], 'the slash as it is');

  const error: unknown = await client.models.retrieve('no/such model').catch((thrown) => thrown);
  if (!(error instanceof NotFoundError)) return void t.fail(String(error));
  t.match(error, { status: 404, code: 'model_not_found', param: 'model', message: /'no\/such model' does not exist/ });
  t.match(error.message, modelName);
  for (const id of ['', 'test', `${modelName}/`, '__proto__', 'x'.repeat(400)]) {
    t.equal((await fetch(`${origin}/v1/models/${id}`)).status, 404, id);
  }
});
