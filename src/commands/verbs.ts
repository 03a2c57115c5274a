/** @module The command table. Each verb's module is loaded when it is used, so that `--help` is instant and loads no TensorFlow. */

import type { Verb } from './command.js';

export const VERBS: readonly Verb[] = [
  {
    name: 'setup',
    summary: 'download the engine’s libraries, verify them, and test them',
    load: async () => (await import('./setup.js')).setup,
  },
  {
    name: 'doctor',
    summary: 'check what is ready on this machine, and how to fix what is not',
    load: async () => (await import('./doctor.js')).doctor,
  },
  {
    name: 'plan',
    summary: 'predict parameters, FLOPs, memory, disk and time of each stage, before anything runs',
    load: async () => (await import('./plan.js')).plan,
  },
  {
    name: 'prepare',
    summary: 'stream text of any size, Parquet or a hub dataset into shards to train on, in parts if wanted',
    computes: true,
    load: async () => (await import('./prepare.js')).prepareCommand,
  },
  {
    name: 'convert',
    summary: 'convert a Llama into a BLT: import, remap, patcher, finetune, export',
    computes: true,
    load: async () => (await import('./convert.js')).convertCommand,
  },
  {
    name: 'import',
    summary: 'import a model from the hub, a local folder or a GGUF file, or take one back from PyTorch',
    load: async () => (await import('./import.js')).importCommand,
  },
  {
    name: 'remap',
    summary: 'copy the Llama’s layers into a BLT, tensor by tensor',
    computes: true,
    load: async () => (await import('./remap.js')).remapCommand,
  },
  {
    name: 'patcher',
    summary: 'train, calibrate and evaluate the entropy model that segments text into patches',
    computes: true,
    load: async () => (await import('./patcher.js')).patcher,
  },
  {
    name: 'adapt',
    summary: 'continue a finished model on a language or domain, its patcher included',
    computes: true,
    load: async () => (await import('./adapt.js')).adaptCommand,
  },
  {
    name: 'finetune',
    summary: 'train a BLT through the stages of a recipe',
    computes: true,
    load: async () => (await import('./finetune.js')).finetuneCommand,
  },
  {
    name: 'launch',
    summary: 'train with several processes on this machine, each with its share of the cores',
    load: async () => (await import('./launch.js')).launch,
  },
  {
    name: 'export',
    summary: 'write the checkpoint that transformers loads, with tokenizer and model card',
    load: async () => (await import('./export.js')).exportCommand,
  },
  {
    name: 'publish',
    summary: 'upload an export to a repository of the Hugging Face Hub, and verify the result',
    load: async () => (await import('./publish.js')).publishCommand,
  },
  {
    name: 'generate',
    summary: 'generate text after a prompt',
    computes: true,
    load: async () => (await import('./generate.js')).generate,
  },
  {
    name: 'serve',
    summary: 'serve a model over HTTP with OpenAI’s completions API and a demo page',
    computes: true,
    load: async () => (await import('./serve.js')).serve,
  },
  {
    name: 'score',
    summary: 'measure the surprisal of every byte under a model',
    computes: true,
    load: async () => (await import('./score.js')).score,
  },
  {
    name: 'evaluate',
    summary: 'measure a model by suites, alone or beside its source',
    computes: true,
    load: async () => (await import('./evaluate.js')).evaluate,
  },
  {
    name: 'report',
    summary: 'write one page about a conversion: curves, suites, patches, samples',
    computes: true,
    load: async () => (await import('./report.js')).report,
  },
  {
    name: 'compare',
    summary: 'put conversions side by side: what they retain, and what suites found',
    load: async () => (await import('./compare.js')).compareCommand,
  },
  {
    name: 'patch',
    summary: 'show how text is segmented into patches, coloured by entropy',
    computes: true,
    load: async () => (await import('./patch.js')).patch,
  },
  {
    name: 'inspect',
    summary: 'show the contents of a checkpoint, a file, a conversion or a hub model',
    load: async () => (await import('./inspect.js')).inspect,
  },
  {
    name: 'demo',
    summary: 'convert the embedded tiny Llama, in about three minutes on two cores',
    computes: true,
    load: async () => (await import('./demo.js')).demo,
  },
  {
    name: 'bench',
    summary: 'measure this machine',
    computes: true,
    load: async () => (await import('./bench.js')).bench,
  },
];
