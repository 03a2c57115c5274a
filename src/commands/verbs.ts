/** @module The command table. Each verb's file is loaded when it is used, so that `--help` is instant and TensorFlow stays away. */

import type { Verb } from './command.js';

export const VERBS: readonly Verb[] = [
  {
    name: 'doctor',
    summary: 'what is ready here, what is not, and how to mend it',
    load: async () => (await import('./doctor.js')).doctor,
  },
  {
    name: 'plan',
    summary: 'parameters, FLOPs, memory, disk and time of each stage, before anything runs',
    load: async () => (await import('./plan.js')).plan,
  },
  {
    name: 'import',
    summary: 'bring a model: hub id, local folder or GGUF file',
    load: async () => (await import('./import.js')).importCommand,
  },
  {
    name: 'remap',
    summary: 'pour the Llama into a BLT, tensor by tensor',
    load: async () => (await import('./remap.js')).remapCommand,
  },
  {
    name: 'export',
    summary: 'write the checkpoint that transformers loads, with tokenizer and model card',
    load: async () => (await import('./export.js')).exportCommand,
  },
  {
    name: 'inspect',
    summary: 'what a checkpoint, a file or a conversion holds',
    load: async () => (await import('./inspect.js')).inspect,
  },
];
