/** @module Writes what PyTorch needs to train a model further: the model, the text, the settings, and the scripts. */
import { constants } from 'node:fs';
import { copyFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claimOutput } from '../../conversion/index.js';
import { embedText, openStore, type StoreManifest } from '../../data/index.js';
import { makeFolder, writeFolderAtomic } from '../../fs/index.js';
import { type ExportReport, exportTransformers } from '../export-transformers.js';
import type { TorchSettings } from './settings.js';

/** The folder lies beside both src/ and dist/. */
const SCRIPTS = fileURLToPath(new URL('../../../torch', import.meta.url));

/** The folders and files of a hand-over. */
export const HAND_OVER = { model: 'model', data: 'data', settings: 'train.json' } as const;

/** Where the training text comes from: a store to copy, or a function that builds one in a folder. */
export type TextSource = string | ((folder: string) => Promise<void>);

/** The files of a store, without the record of the request that it was built for. */
const STORE_FILE = /^((train|validation)\.(bin|ends|places)|data\.json)$/;

/** Copies a store; file systems that share blocks between files copy nothing. */
async function copyStore(from: string, to: string): Promise<void> {
  await makeFolder(to);
  for (const name of (await readdir(from)).filter((file) => STORE_FILE.test(file)))
    await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
}

/**
 * Creates `out`. The model is written in float32, since training continues from it.
 * @param params.from checkpoint folders, each tensor from the first that has it.
 * @throws UsageError if `out` is not new or empty; otherwise as `exportTransformers` does, and nothing is left behind.
 */
export async function writeHandOver(
  params: Omit<Parameters<typeof exportTransformers>[0], 'dtype' | 'ownsOut' | 'from'> & {
    readonly from: readonly [string, ...string[]];
    readonly settings: Omit<TorchSettings, 'data_sha256'>;
    readonly text: TextSource;
    /** The digest of a store. */
    readonly dataDigest: (store: { readonly manifest: StoreManifest }) => string;
  },
): Promise<ExportReport> {
  const { from, out, settings, text, dataDigest, ...rest } = params;
  const target = await claimOutput(out, { kind: 'export', source: from[0] });
  return writeFolderAtomic(target, async (folder) => {
    const model = join(folder, HAND_OVER.model);
    const report = await exportTransformers({ ...rest, from, out: model, dtype: 'float32', ownsOut: true });
    const data = join(folder, HAND_OVER.data);
    await (typeof text === 'string' ? copyStore(text, data) : text(data));
    // Another machine has no prepared folders.
    await embedText(data);
    const store = await openStore(data);
    const all: TorchSettings = { ...settings, data_sha256: dataDigest(store) };
    await store.close();
    await writeFile(join(folder, HAND_OVER.settings), `${JSON.stringify(all, null, 2)}\n`);
    for (const name of (await readdir(SCRIPTS)).filter((file) => file.endsWith('.py')))
      await copyFile(join(SCRIPTS, name), join(folder, name));
    return { ...report, folder: out };
  });
}
