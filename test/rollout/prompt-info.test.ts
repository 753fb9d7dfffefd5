import t from 'tap';
import { scrape } from '../telemetry/support/scrape.ts';
import { logged, startRolling } from './support.ts';

const STABLE = 'stable test/kind@1.0.0';

for (const [variant, ...how] of [
  ['canary', '--share', '50%'],
  ['shadow', '--shadow', '--share', '50%'],
] as const) {
  t.test(
    `/metrics names the candidate beside what is stable, as ${variant}, until its rollout has ended`,
    async (t) => {
      const { gateways, rollout } = await startRolling(t);
      const [gateway] = gateways;
      if (gateway === undefined) return;
      const told = async () => {
        const samples = (await scrape(gateway.admin)).filter(({ name }) => name === 'preamble_prompt_info');
        for (const { value, labels } of samples) {
          t.equal(value, 1);
          t.match(labels, { model: 'chat', digest: /^[0-9a-f]{64}$/ });
        }
        t.equal(new Set(samples.map(({ labels }) => labels['digest'])).size, samples.length, 'each has its own digest');
        return samples.map(({ labels }) => `${labels['variant']} ${labels['prompt']}`).toSorted();
      };
      t.strictSame(await told(), [STABLE]);
      await rollout('start', 'test/kind', '--candidate', '1.1.0-rc.1', ...how);
      await logged(gateway, 'rollout.changed');
      t.strictSame(await told(), [`${variant} test/kind@1.1.0-rc.1`, STABLE].toSorted());
      await rollout('abort', 'test/kind');
      await logged(gateway, 'rollout.changed', 2);
      t.strictSame(await told(), [STABLE], 'it is no more, so it is not told of');
      await rollout('start', 'test/kind', '--candidate', '1.1.0-rc.1', ...how);
      await logged(gateway, 'rollout.changed', 3);
      await rollout('promote', 'test/kind');
      await logged(gateway, 'rollout.changed', 4);
      t.strictSame(await told(), ['stable test/kind@1.1.0-rc.1'], 'it is stable itself');
    },
  );
}
