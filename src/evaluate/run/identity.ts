/** @module What identifies a model, and the answers to a suite's items: recorded answers of anything else are not taken for them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { listFiles, MANIFEST_FILE } from '../../data/index.js';
import { digestOf, digestOfFile, readTextIfThere } from '../../fs/index.js';
import { toolVersion } from '../../version.js';
import type { DirectSuite, Suite, SuiteOptions } from '../suites/suite.js';

/** Files that determine what a model computes. */
const IS_PART = /^(config\.json|tokenizer.*\.(json|model)|.*\.safetensors|.*\.gguf)$/;

/** SHA-256 of the files of a checkpoint folder. @throws the signal's reason */
export async function modelDigest(folder: string, signal: AbortSignal): Promise<string> {
  const names = (await readdir(folder)).filter((name) => IS_PART.test(name)).sort();
  const digests: [string, string][] = [];
  for (const name of names) digests.push([name, await digestOfFile(join(folder, name), { signal })]);
  return digestOf(digests);
}

/** SHA-256 of what the items of a suite depend on. The limit does not matter: it only adds items. */
export async function itemsDigest(suite: Suite | DirectSuite, options: SuiteOptions): Promise<string> {
  const { dir, data, textKey, maxBytes, seed, settings, signal } = options;
  const paths = (suite.fileSettings ?? []).flatMap((name) => settings[name] || []);
  const files = await listFiles([...data, ...paths], signal);
  // Without data, documents are the conversion's held-out text.
  const heldOut =
    suite.data !== null && data.length === 0 ? await readTextIfThere(join(dir, 'data', MANIFEST_FILE)) : null;
  return digestOf({ byteify: toolVersion(), suite: suite.name, files, heldOut, textKey, maxBytes, seed, settings });
}

/** A short name for the answers of a model to items. @param items their digest @param model its digest */
export const answersKey = (items: string, model: string): string => digestOf({ items, model }).slice(0, 12);
