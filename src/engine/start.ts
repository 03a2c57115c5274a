/** @module Starts the engine once per process: the library, the backend, the kernels and gradients. */
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { ByteifyError, UsageError } from '../errors.js';
import { EngineBackend } from './backend.js';
import type { Cluster, Device, DeviceMemory, Runtime } from './executor.js';
import { registerGradients } from './gradients.js';
import { registerKernels } from './kernels.js';
import { openDevice } from './openxla/open-device.js';
import { createShapesRuntime, type OnCall } from './openxla/shapes-runtime.js';
import { type Layout, ONE_DEVICE } from './openxla/split.js';
import type { DeviceName, DeviceOption } from './setup/device-names.js';
import {
  chooseDevice,
  deviceCountFromEnvironment,
  deviceFromEnvironment,
  fullyShardedFromEnvironment,
} from './setup/devices.js';
import { locateEngine } from './setup/locate.js';
import { useOneDnn } from './setup/onednn.js';
import { selfTestOf } from './setup/self-test-record.js';
import { loadTensorFlow } from './tensorflow/native.js';
import { createTensorFlowRuntime } from './tensorflow/runtime.js';

export interface Engine {
  /** What computes. */
  readonly device: DeviceName;
  /** Of TensorFlow, or of the plugin. */
  readonly version: string;
  readonly devices: readonly Device[];
  /** The device's memory. Null where it is not counted. */
  memory(): DeviceMemory | null;
  /** The number of live handles of tensors, for leak tests. */
  liveHandles(): number;
}

export interface EngineOptions {
  /** @default BYTEIFY_DEVICE, else 'auto': a GPU if there is one that byteify is set up for, else the CPU */
  readonly device?: DeviceOption;
  /** @default BYTEIFY_DEVICES, else 1: how many devices share each computation. A CPU on OpenXLA can be divided into several. */
  readonly devices?: number;
  /** @default BYTEIFY_FULLY_SHARDED, else false: weights, sums of gradients and moments are divided over the devices, not whole on each. */
  readonly fullySharded?: boolean;
  /** The file of a PJRT plugin for the device; the one that `byteify setup` recorded when absent. */
  readonly plugin?: string;
  /** Whether a GPU runs the project's kernels in Triton. @default the result of a check, made once per GPU and plugin */
  readonly triton?: boolean;
  /** Maximum threads per operation on a CPU; all cores when absent. */
  readonly threads?: number;
  /** The processes that compute together on CPUs; absent if this one computes alone. */
  readonly cluster?: Cluster;
  /** Contains TensorFlow's libraries; found by `locateEngine` when absent. */
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

const BACKEND = 'byteify';

async function start(options: EngineOptions): Promise<Engine> {
  const device = chooseDevice(options.device ?? deviceFromEnvironment());
  const { devices = deviceCountFromEnvironment(), fullySharded = fullyShardedFromEnvironment() } = options;
  if (device !== 'cpu') {
    if (options.cluster !== undefined) {
      throw new UsageError(`Several processes compute together on CPUs only, and this one would use ${device}.`, {
        hint: 'Use --device cpu, or one process with several devices: BYTEIFY_DEVICES.',
      });
    }
    return engineOver(device, await openDevice(device, { devices, dividesVariables: fullySharded }, options));
  }
  if (devices > 1) {
    throw new UsageError(`TensorFlow computes on one device, and ${devices} were asked for.`, {
      hint: 'Several devices need --device cuda, rocm or cpu-xla.',
    });
  }
  return engineOver(device, await startTensorFlow(options));
}

/** Makes tfjs-core compute with a runtime. */
function engineOver(device: DeviceName, runtime: Runtime): Engine {
  registerKernels(BACKEND);
  registerGradients();
  tf.registerBackend(BACKEND, () => new EngineBackend(runtime));
  tf.setBackend(BACKEND);
  tf.enableProdMode();
  const { version, devices, memory, liveHandles } = runtime;
  return { device, version, devices, memory, liveHandles };
}

/**
 * Starts an engine that computes nothing, in place of the one that `startEngine` would start.
 * @param onCall receives each function that a device would run
 */
export function startShapesEngine(onCall: OnCall, layout: Layout = ONE_DEVICE): Engine {
  if (started !== null) throw new ByteifyError('The engine is started already, and a process has only one.');
  const engine = engineOver('cpu-xla', createShapesRuntime(onCall, layout));
  started = Promise.resolve(engine);
  return engine;
}

async function startTensorFlow({ folder: given, threads, cluster }: EngineOptions): Promise<Runtime> {
  const folder = given ?? locateEngine()?.folder;
  if (folder === undefined) {
    throw new ByteifyError('The engine is not set up on this machine.', {
      hint: 'Run `byteify setup` once: it downloads TensorFlow’s libraries and tests them.',
    });
  }
  useOneDnn(selfTestOf(folder)?.onednn ?? null);
  const api = loadTensorFlow(folder, threads ?? availableParallelism());
  await api.blockSignalsInPool();
  return createTensorFlowRuntime(api, { ...(threads !== undefined && { threads }), ...(cluster && { cluster }) });
}
