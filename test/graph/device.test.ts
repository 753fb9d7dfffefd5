import t from 'tap';
import { assertDevice } from '../../src/graph/device.ts';
import { devices } from '../../src/graph/session.ts';

t.test('the CPU is always there', async (t) => {
  await t.resolves(assertDevice('cpu'));
});

for (const device of devices.filter((other) => other !== 'cpu')) {
  t.test(`${device} works, or it is said what is missing and what to do`, async (t) => {
    const failure: unknown = await assertDevice(device).then(
      () => null,
      (error: unknown) => error,
    );
    const missing = {
      code: 'device_unavailable',
      message: new RegExp(`^ONNX Runtime cannot use ${device} here: [^/]+\\.$`),
      action: /^Install .* leave --device out\.$/,
    };
    if (failure === null) t.pass('this machine has it');
    else t.match(failure, missing);
  });
}
