import t from 'tap';
import { createBan } from '../../../src/backends/virtual-tokens/ban.ts';
import { rawBody } from '../../../src/backends/virtual-tokens/raw-body.ts';
import { parseTextRequest } from '../../../src/openai/completions.ts';
import { spelledPrompts } from '../../helpers/spelled.ts';

const front = { text: '<|a|>"', ids: [100, 101] };

function sent(text: string, own: Partial<Parameters<typeof rawBody>[2]> = {}): string {
  const bytes = Buffer.from(text);
  const request = parseTextRequest(JSON.parse(text));
  return Buffer.concat(
    rawBody(bytes, request, { model: 'm', front, beginning: [1], edits: () => [], ...own }),
  ).toString();
}

t.test('in front of a text, of each of several, and of ids behind those that begin every text', async (t) => {
  const written = JSON.stringify(front.text).slice(1, -1);
  t.equal(sent('{"prompt":"H\\u0069","model":"x"}'), `{"prompt":"${written}H\\u0069","model":"m"}`);
  t.equal(sent('{"prompt":[ "a", "b"],"model":"x"}'), `{"prompt":[ "${written}a", "${written}b"],"model":"m"}`);
  t.equal(sent('{"prompt":[1, 7],"model":"x"}'), '{"prompt":[1,100,101, 7],"model":"m"}');
  t.equal(sent('{"prompt":[7],"model":"x"}'), '{"prompt":[100,101,7],"model":"m"}');
  t.equal(sent('{"prompt":[[1],[7,1]],"model":"x"}'), '{"prompt":[[1,100,101],[100,101,7,1]],"model":"m"}');
  t.equal(sent('{"prompt":[1,7],"model":"x"}', { beginning: [] }), '{"prompt":[100,101,1,7],"model":"m"}');
  t.equal(sent('{"prompt":"x","model":"x"}', { front: null }), '{"prompt":"x","model":"m"}');
});

t.test('a text without ids cannot stand in front of ids', async (t) => {
  t.throws(() => sent('{"prompt":[7],"model":"x"}', { front: { text: 'Be kind.', ids: null } }), {
    code: 'prompt_unavailable',
  });
});

t.test('the ban stands beside the client’s own biases', async (t) => {
  const prompts = spelledPrompts([{ digest: '3fa91c'.padEnd(64, '0'), tokens: 2 }]);
  const bias = (text: string, value: '-100' | 'false' = '-100') => {
    const request = JSON.parse(text);
    const body = sent(text, { edits: (where) => createBan(prompts, value)(where, request) });
    return JSON.parse(body).logit_bias;
  };
  const ours = { 49152: -100, 49153: -100 };
  t.strictSame(bias('{"prompt":"x","model":"x"}'), ours);
  t.strictSame(bias('{"prompt":"x","model":"x","logit_bias":null}'), ours);
  t.strictSame(bias('{"prompt":"x","model":"x","logit_bias":{}}'), ours);
  t.strictSame(bias('{"prompt":"x","model":"x","logit_bias":{"5":1.5}}'), { ...ours, 5: 1.5 });
  t.strictSame(bias('{"prompt":"x","model":"x","logit_bias":[[5,1]]}', 'false'), [
    [49152, false],
    [49153, false],
    [5, 1],
  ]);
});
