import fc from 'fast-check';
import t from 'tap';
import type { PlannedPrompt } from '../../src/policy/plan.ts';
import { type PlannedRollout, takePart } from '../../src/policy/rollout.ts';
import { everyone } from '../../src/policy/snapshot.ts';

const softPrompt = {
  label: 'a/b@1.1.0',
  digest: 'ab12',
  tokens: 1,
  hiddenSize: 2,
  values: new Float32Array(2),
  stored: { dtype: 'F32', bytes: new Uint8Array(8) } as const,
};
const candidate: PlannedPrompt = { name: 'a/b', version: '1.1.0', position: 'system', softPrompt };
const rollout: PlannedRollout = { id: 'one', name: 'a/b', epoch: 0, share: 0.1, shadow: false, candidate };

const armOf = (given: Partial<PlannedRollout>, key: string, tenant = 'web') =>
  takePart({ ...rollout, ...given }, { ...everyone, id: tenant }, { key, opens: true }).arm;
const keys = Array.from({ length: 20_000 }, (_, index) => `conversation ${index}`);

t.test('the same conversation of the same tenant is in the same arm, whichever turn it is', async (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.double({ min: 0.01, max: 0.9, noNaN: true }), (key, tenant, share) => {
      const asked = (opens: boolean) => takePart({ ...rollout, share }, { ...everyone, id: tenant }, { key, opens });
      t.strictSame(asked(true), { ...asked(false), opens: true });
    }),
  );
});

t.test('a larger share adds conversations and moves none that is in it', async (t) => {
  const fraction = fc.double({ min: 0.001, max: 0.9, noNaN: true });
  fc.assert(
    fc.property(fc.string(), fraction, fraction, (key, a, b) => {
      const [small, large] = a < b ? [a, b] : [b, a];
      if (armOf({ share: small }, key) === 'candidate') t.equal(armOf({ share: large }, key), 'candidate');
    }),
  );
});

t.test('the share is the share', async (t) => {
  for (const share of [0.01, 0.05, 0.5]) {
    const part = keys.filter((key) => armOf({ share }, key) === 'candidate').length / keys.length;
    // Five standard deviations.
    t.ok(Math.abs(part - share) < 5 * Math.sqrt((share * (1 - share)) / keys.length), `${part} of ${share}`);
  }
});

t.test('two rollouts, and two tenants, draw independently', async (t) => {
  const share = 0.5;
  const inBoth = (a: (key: string) => string, b: (key: string) => string) =>
    keys.filter((key) => a(key) === 'candidate' && b(key) === 'candidate').length / keys.length;
  const first = (key: string) => armOf({ share }, key);
  for (const other of [
    (key: string) => armOf({ share, id: 'two' }, key),
    (key: string) => armOf({ share }, key, 'another'),
  ]) {
    t.ok(Math.abs(inBoth(first, other) - share * share) < 0.02);
  }
});

t.test('no text can be read from what is kept of a conversation', async (t) => {
  const { unit } = takePart(rollout, everyone, { key: 'my secret', opens: true });
  t.match(unit, /^[0-9a-f]{64}$/);
});
