/** @module Starts the engine once per process: the library, the backend, the kernels and gradients. */
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { ByteifyError, messageOf, UsageError } from '../errors.js';
import { TensorFlowBackend } from './backend.js';
import type { Device } from './executor.js';
import { registerGradients } from './gradients.js';
import { registerKernels } from './kernels.js';
import { locateEngine } from './locate.js';
import { loadTensorFlow } from './native.js';
import { createRuntime } from './runtime.js';

export const BACKENDS = ['libtensorflow', 'tfjs-node-gpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface Engine {
  readonly backend: BackendName;
  readonly version: string;
  readonly devices: readonly Device[];
  /** The number of live TensorFlow handles, for leak tests. */
  liveHandles(): number;
}

export interface EngineOptions {
  readonly backend?: BackendName;
  /** Maximum threads per operation; all cores when absent. */
  readonly threads?: number;
  /** Contains the libraries; found by `locateEngine` when absent. */
  readonly folder?: string;
}

let started: Promise<Engine> | null = null;

/**
 * Starts the engine, or returns the one already running: a process has only one.
 * @throws ByteifyError when it is not set up or does not load.
 */
export function startEngine(options: EngineOptions = {}): Promise<Engine> {
  started ??= start(options).catch((error: unknown) => {
    started = null;
    throw error;
  });
  return started;
}

async function start(options: EngineOptions): Promise<Engine> {
  const backend = options.backend ?? 'libtensorflow';
  const engine = backend === 'libtensorflow' ? await startLibTensorFlow(options) : await startTfjsNode();
  registerGradients();
  return engine;
}

async function startLibTensorFlow(options: EngineOptions): Promise<Engine> {
  const folder = options.folder ?? locateEngine()?.folder;
  if (folder === undefined) {
    throw new ByteifyError('The engine is not set up on this machine.', {
      hint: 'Run `byteify setup` once: it downloads TensorFlow’s libraries and tests them.',
    });
  }
  const api = loadTensorFlow(folder, options.threads ?? availableParallelism());
  await api.blockSignalsInPool();
  const runtime = createRuntime(api, options.threads === undefined ? {} : { threads: options.threads });
  registerKernels('libtensorflow');
  tf.registerBackend('libtensorflow', () => new TensorFlowBackend(runtime, api));
  tf.setBackend('libtensorflow');
  tf.enableProdMode();
  return {
    backend: 'libtensorflow',
    version: runtime.version,
    devices: runtime.devices,
    liveHandles: runtime.liveHandles,
  };
}

const TFJS_NODE_GPU = '@tensorflow/tfjs-node-gpu';

/** How Node and bundlers report an absent package. A module missing inside the package is reported under another name. */
const ABSENT = new RegExp(`^(cannot find|could not resolve)[^\\n]*['"]${TFJS_NODE_GPU}['"]`, 'i');

async function importTfjsNode(): Promise<void> {
  // As for byteify's own engine: the library reads it once. The user's own value takes precedence.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    await import(TFJS_NODE_GPU);
  } catch (cause) {
    if (ABSENT.test(messageOf(cause))) {
      throw new UsageError(`--backend tfjs-node-gpu needs the package ${TFJS_NODE_GPU}, which is not installed here.`, {
        hint: 'Install it as docs/gpu.md describes, or leave out --backend to use byteify’s own engine.',
        cause,
      });
    }
    throw new ByteifyError(`${TFJS_NODE_GPU} cannot be loaded: ${firstLine(cause)}`, {
      hint: 'docs/gpu.md describes how to build its addon. Leave out --backend to use byteify’s own engine.',
      cause,
    });
  }
}

const firstLine = (error: unknown) => messageOf(error).split('\n', 1)[0]?.trim() ?? '';

/** The package registers and starts even on versions of Node on which it cannot compute, so try a product. */
function tryProduct(): void {
  try {
    const [one] = tf.tidy(() => tf.matMul(tf.ones([1, 1]), tf.ones([1, 1])).dataSync());
    if (one !== 1) throw new Error(`1 x 1 is ${one}`);
  } catch (cause) {
    throw new ByteifyError(`${TFJS_NODE_GPU} does not compute on Node ${process.versions.node}: ${firstLine(cause)}`, {
      hint: 'It needs Node 22 or older. Leave out --backend to use byteify’s own engine.',
      cause,
    });
  }
}

async function startTfjsNode(): Promise<Engine> {
  await importTfjsNode();
  try {
    // Rejects when the name is not registered, and returns false when the backend does not start.
    if (!(await tf.setBackend('tensorflow'))) throw new Error('the backend does not start');
  } catch (cause) {
    throw new ByteifyError(`${TFJS_NODE_GPU} is installed but registered no backend with this copy of tfjs-core.`, {
      hint: 'Its version must match @tensorflow/tfjs-core (npm ls @tensorflow/tfjs-core shows one copy).',
      cause,
    });
  }
  tryProduct();
  tf.enableProdMode();
  return { backend: 'tfjs-node-gpu', version: tf.version_core, devices: [], liveHandles: () => tf.memory().numTensors };
}
