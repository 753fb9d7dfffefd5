import { realpath } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** A tensor's values as they enter or leave a session, row-major. */
export type SessionTensor =
  | { type: 'float32'; data: Float32Array; dims: readonly number[] }
  | { type: 'float64'; data: Float64Array; dims: readonly number[] }
  | { type: 'int64'; data: BigInt64Array; dims: readonly number[] }
  | { type: 'int32'; data: Int32Array; dims: readonly number[] };

export interface SessionOptions {
  /** Where the files of external initialisers lie; absent if the model has none. */
  folder?: string;
  /** Threads of one operator; ONNX Runtime's own choice if absent. */
  threads?: number;
  /** Plans memory once for all shapes; off for gradients, where it took half as much again and was slower. */
  memoryPattern?: boolean;
}

/** Blocks the calling thread while it loads and runs: use it in a worker. */
export interface Session {
  run(feeds: Readonly<Record<string, SessionTensor>>): Promise<SessionResults>;
  release(): Promise<void>;
}

export interface SessionResults {
  float32(name: string): Float32Array;
  float64(name: string): Float64Array;
  int64(name: string): BigInt64Array;
}

export async function createSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const { folder, threads, memoryPattern = true } = options;
  const session = await InferenceSession.create(model, {
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    enableMemPattern: memoryPattern,
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    extra: {
      session: {
        // ONNX Runtime refuses external data outside this folder, symbolic links included.
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: await realpath(folder) }),
        // Spinning within a run is what makes small operators fast; between runs it would only heat an idle machine.
        force_spinning_stop: '1',
      },
    },
  });
  return {
    async run(feeds) {
      const tensors = Object.entries(feeds).map(
        ([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)] as const,
      );
      return results(await session.run(Object.fromEntries(tensors)));
    },
    release: () => session.release(),
  };
}

function results(outputs: InferenceSession.ReturnType): SessionResults {
  const read = <Data>(name: string, kind: abstract new (...values: never[]) => Data): Data => {
    const data: unknown = outputs[name]?.data;
    if (data instanceof kind) return data;
    throw new TypeError(`the session has no ${kind.name} output named ${name}`);
  };
  return {
    float32: (name) => read(name, Float32Array),
    float64: (name) => read(name, Float64Array),
    int64: (name) => read(name, BigInt64Array),
  };
}
