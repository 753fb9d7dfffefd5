import t from 'tap';
import { parseRedisUrl } from '../../src/redis/address.ts';

t.test('each form of address', async (t) => {
  const server = { kind: 'server', tls: false, hosts: [{ host: 'cache', port: 6379 }], database: 0 };
  t.strictSame(parseRedisUrl('redis://cache'), server);
  t.strictSame(parseRedisUrl('redis://cache:6379/'), server);
  t.strictSame(parseRedisUrl('rediss://[::1]:7000/3'), {
    kind: 'server',
    tls: true,
    hosts: [{ host: '::1', port: 7000 }],
    database: 3,
  });
  t.strictSame(parseRedisUrl('rediss+cluster://a:1,b'), {
    kind: 'cluster',
    tls: true,
    hosts: [
      { host: 'a', port: 1 },
      { host: 'b', port: 6379 },
    ],
  });
  t.strictSame(parseRedisUrl('redis+sentinel://a,10.0.0.2:5000/my-master/2'), {
    kind: 'sentinel',
    tls: false,
    hosts: [
      { host: 'a', port: 26_379 },
      { host: '10.0.0.2', port: 5000 },
    ],
    master: 'my-master',
    database: 2,
  });
});

t.test('what is none is refused, and never repeated', async (t) => {
  const hostile = [
    'redis://',
    'http://cache',
    'redis://user:sEcReT@cache',
    'redis://:sEcReT@cache',
    'redis://a,b',
    'redis://cache:0',
    'redis://cache:99999',
    'redis://cache/one',
    'redis://cache/1/2',
    'redis://cache/99999',
    'redis+cluster://a/1',
    'redis+sentinel://a',
    'redis+sentinel://a/m/1/2',
    'redis+sentinel://a/?password=sEcReT',
    'redis://cache?password=sEcReT',
    'redis+cluster://a,,b',
  ];
  for (const url of hostile) {
    t.throws(() => parseRedisUrl(url), { code: 'config_invalid' }, url);
    try {
      parseRedisUrl(url);
    } catch (error) {
      t.notMatch(String(error), 'sEcReT');
    }
  }
});
