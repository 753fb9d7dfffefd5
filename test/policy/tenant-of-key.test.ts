import { hash } from 'node:crypto';
import t from 'tap';
import { everyone, type TenantPolicy } from '../../src/policy/snapshot.ts';
import { keyDigest, tenantOfKey } from '../../src/policy/tenant-of-key.ts';
import { tenantsByKey } from '../helpers/tenants.ts';

const named = (id: string): TenantPolicy => ({ ...everyone, id });
const [web, batch] = [named('web'), named('batch')];
const tenants = new Map([
  [hash('sha256', 'pmb_web-1'), web],
  [hash('sha256', 'pmb_web-2'), web],
  [hash('sha256', 'pmb_batch'), batch],
]);

t.test('the tenant whose key it is, in whatever order keys stand', async (t) => {
  t.equal(tenantOfKey(tenants, 'Bearer pmb_web-1'), web);
  t.equal(tenantOfKey(tenants, 'bearer  pmb_web-2'), web);
  t.equal(tenantOfKey(tenants, 'BEARER pmb_batch'), batch);
});

t.test('nobody', async (t) => {
  const wrong = [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'pmb_batch',
    'Basic pmb_batch',
    'Bearer pmb_batc',
    'Bearer pmb_batch ',
    'Bearer pmb_batch, Bearer pmb_web-1',
    'Bearer PMB_BATCH',
    // The digest is no key.
    `Bearer ${hash('sha256', 'pmb_batch')}`,
    `Bearer ${keyDigest('pmb_batch')}`,
    `Bearer ${'x'.repeat(100_000)}`,
  ];
  for (const authorization of wrong)
    t.equal(tenantOfKey(tenants, authorization), null, String(authorization).slice(0, 40));
});

t.test('a digest as preamble.yaml has it: SHA-256 of FIPS 180-2, appendix B.1', async (t) => {
  t.equal(keyDigest('abc'), 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

t.test('of many keys each is its own tenant’s, and what is like one of them nobody’s', async (t) => {
  // So many that several share the first bytes of their digests.
  const many = tenantsByKey(Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`pmb_${index}`, {}])));
  const wrong = [...Array(2000).keys()].filter(
    (index) => tenantOfKey(many, `Bearer pmb_${index}`)?.id !== `pmb_${index}`,
  );
  t.strictSame(wrong, []);
  const others = [...Array(2000).keys()].filter((index) => tenantOfKey(many, `Bearer pmb_${index}x`) !== null);
  t.strictSame(others, []);
});
