import { realpath } from 'node:fs/promises';
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';

export type { Tensor as RuntimeTensor } from 'onnxruntime-node';

/**
 * Where a graph is computed: those of ONNX Runtime's providers that its package for Node can have. What a device has no kernel for is computed on
 * the CPU.
 */
export const devices = ['cpu', 'webgpu', 'cuda'] as const;
export type Device = (typeof devices)[number];

export interface SessionOptions {
  /** The CPU unless given. */
  device?: Device;
  /** Threads that one operation may use; all cores unless given. */
  threads?: number;
  graphOptimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /**
   * The folder that external weights lie in. ONNX Runtime refuses files outside it, so a session reads from one folder only.
   */
  externalFolder?: string;
  /**
   * Plan the memory of a run ahead. Off, a graph with a backward pass needs a third less memory (4.3 against 6.6 GB measured)
   * and runs faster.
   */
  memoryPattern?: boolean;
  /** Keep freed memory for the next run. */
  memoryArena?: boolean;
  /** ONNX Runtime's own configuration entries, by their dotted names. */
  configuration?: Readonly<Record<string, string>>;
}

/** A graph that is ready to run. `run` and `openSession` block the thread they are called on: use a worker. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs once. `fetches` chooses outputs by name; a tensor there is written in place instead of a new one, null allocates.
   */
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches?: Readonly<Record<string, RuntimeTensor | null>>,
  ): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

const EXTERNAL_FOLDER = 'session.model_external_initializers_file_folder_path';

/** Errors only: ONNX Runtime writes its warnings to stderr, past our log. */
const LOG_ERRORS = 3;

/** `model` is an ONNX ModelProto, as `GraphBuilder.build` makes it. */
export async function openSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const configuration = { ...options.configuration };
  // the runtime compares real paths, so a symbolic link in the folder's own path would be refused
  if (options.externalFolder !== undefined) configuration[EXTERNAL_FOLDER] = await realpath(options.externalFolder);

  const session = await InferenceSession.create(model, {
    graphOptimizationLevel: options.graphOptimization ?? 'all',
    logSeverityLevel: LOG_ERRORS,
    enableMemPattern: options.memoryPattern ?? true,
    enableCpuMemArena: options.memoryArena ?? true,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    ...(options.device === undefined ? {} : { executionProviders: [options.device] }),
    extra: nested(configuration),
  });

  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: (feeds, fetches) => (fetches === undefined ? session.run(feeds) : session.run(feeds, fetches)),
    release: () => session.release(),
  };
}

/** The binding takes {'session.x': 'y'} as { session: { x: 'y' } }. */
function nested(configuration: Readonly<Record<string, string>>): Record<string, unknown> {
  const groups: Record<string, Record<string, string>> = {};
  for (const [name, value] of Object.entries(configuration)) {
    const dot = name.indexOf('.');
    const [group, rest] = [name.slice(0, dot), name.slice(dot + 1)];
    groups[group] = { ...groups[group], [rest]: value };
  }
  return groups;
}

export type HostData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** Row-major `data` as an input or a preallocated output; the array is used in place. */
export function hostTensor(data: HostData, shape: readonly number[]): RuntimeTensor {
  return new RuntimeTensor(data, shape);
}

/** One output's numbers, `[...dims]` row-major. */
export function floatData(results: Readonly<Record<string, RuntimeTensor>>, name: string): Float32Array {
  const data = results[name]?.data;
  if (!(data instanceof Float32Array)) throw new TypeError(`${name} is not a float32 output`);
  return data;
}
