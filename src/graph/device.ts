import { env } from 'onnxruntime-node';
import { PreambleError, toError } from '../errors.ts';
import { createGraph } from './builder.ts';
import { type Device, openSession } from './session.ts';

const remedies: Readonly<Record<Exclude<Device, 'cpu'>, string>> = {
  webgpu: 'Install a graphics driver with Vulkan and its loader (on Debian: libvulkan1), or leave --device out.',
  cuda:
    "Install NVIDIA's driver, CUDA 12 and cuDNN 9, then fetch ONNX Runtime's part of it: " +
    'node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12; or leave --device out.',
};

/**
 * Computes one product there, so that a device which is missing is told at once and not after an hour of preparation.
 * Throws `device_unavailable`.
 */
export async function assertDevice(device: Device): Promise<void> {
  if (device === 'cpu') return;
  // the runtime would say on stderr, at length, what is said below
  env.logLevel = 'fatal';
  const graph = createGraph();
  const x = graph.input('x', [1], 'float32');
  graph.output(graph.mul(x, x), 'square');
  try {
    const session = await openSession(graph.build(), { device });
    await session.release();
  } catch (error) {
    throw new PreambleError('device_unavailable', `ONNX Runtime cannot use ${device} here: ${reasonOf(error)}.`, {
      action: remedies[device],
      cause: error,
    });
  }
}

/** Its messages begin with a place in its source. */
function reasonOf(error: unknown): string {
  const { message } = toError(error);
  return (/Failed to .+/.exec(message)?.[0] ?? message.split('\n')[0] ?? '').replace(/\.$/, '');
}
