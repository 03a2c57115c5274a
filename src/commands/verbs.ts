/** @module The command table. Each verb's file is loaded when it is used, so that `--help` is instant and TensorFlow stays away. */

import type { Verb } from './command.js';

export const VERBS: readonly Verb[] = [
  {
    name: 'setup',
    summary: 'fetch the engine’s libraries, verify them, and try them',
    load: async () => (await import('./setup.js')).setup,
  },
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
    name: 'convert',
    summary: 'from a Llama to a BLT: import, remap, patcher, finetune, export',
    load: async () => (await import('./convert.js')).convertCommand,
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
    name: 'patcher',
    summary: 'train and calibrate the entropy model that cuts text into patches',
    load: async () => (await import('./patcher.js')).patcher,
  },
  {
    name: 'finetune',
    summary: 'train a BLT by the stages of a recipe',
    load: async () => (await import('./finetune.js')).finetuneCommand,
  },
  {
    name: 'export',
    summary: 'write the checkpoint that transformers loads, with tokenizer and model card',
    load: async () => (await import('./export.js')).exportCommand,
  },
  {
    name: 'publish',
    summary: 'put an export into a repository of the Hugging Face Hub, and verify what arrived',
    load: async () => (await import('./publish.js')).publishCommand,
  },
  {
    name: 'generate',
    summary: 'write what follows a prompt',
    load: async () => (await import('./generate.js')).generate,
  },
  {
    name: 'serve',
    summary: 'answer requests over HTTP as OpenAI’s completions do, and show a page to try it',
    load: async () => (await import('./serve.js')).serve,
  },
  {
    name: 'score',
    summary: 'every byte’s surprisal under a model',
    load: async () => (await import('./score.js')).score,
  },
  {
    name: 'evaluate',
    summary: 'bits per byte of a model on text, by kind of text',
    load: async () => (await import('./evaluate.js')).evaluate,
  },
  {
    name: 'patch',
    summary: 'show how text is cut into patches, coloured by entropy',
    load: async () => (await import('./patch.js')).patch,
  },
  {
    name: 'inspect',
    summary: 'what a checkpoint, a file, a conversion or a hub model holds',
    load: async () => (await import('./inspect.js')).inspect,
  },
  {
    name: 'demo',
    summary: 'convert the embedded tiny Llama, in about three minutes on two cores',
    load: async () => (await import('./demo.js')).demo,
  },
  {
    name: 'bench',
    summary: 'measure this machine',
    load: async () => (await import('./bench.js')).bench,
  },
];
