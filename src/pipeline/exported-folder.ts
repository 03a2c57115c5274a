/** @module Finds the export of a conversion, and checks that it is up to date. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Manifest, readManifest, STAGES } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { digestOf } from '../fs/index.js';

export interface ExportedFolder {
  readonly folder: string;
  /** The manifest of its conversion; null for an export outside a conversion folder. */
  readonly manifest: Manifest | null;
}

const OUTPUT = STAGES.find(({ name }) => name === 'export')!.output;

/** The conversion that `dir` is, or of which `dir` is the export; null for any other folder. */
async function conversionOf(dir: string): Promise<{ root: string; manifest: Manifest } | null> {
  const above = dirname(resolve(dir));
  for (const root of [dir, above]) {
    if (root === above && join(above, OUTPUT) !== resolve(dir)) continue;
    const manifest = await readManifest(root);
    if (manifest !== null) return { root, manifest };
  }
  return null;
}

/**
 * @param dir a conversion, the export in it, or an export on its own
 * @throws UsageError for any other folder, a conversion without an export, or an export that is older than the conversion's last training
 */
export async function exportedFolder(dir: string): Promise<ExportedFolder> {
  const found = await conversionOf(dir);
  if (found === null) {
    if (existsSync(join(dir, 'config.json'))) return { folder: dir, manifest: null };
    throw new UsageError(`${dir} is neither a conversion nor an exported folder.`, {
      hint: existsSync(dir) ? 'It has no byteify.json and no config.json.' : 'It does not exist; check the spelling.',
    });
  }
  const { root, manifest } = found;
  const { finetune = {}, export: exported } = manifest.stages;
  if (exported?.state !== 'done') {
    throw new UsageError(`${root} has no finished export.`, { hint: `Make it with \`byteify export ${root}\`.` });
  }
  if (exported.inputs.run !== digestOf(finetune)) {
    throw new UsageError(`The export of ${root} is older than its training.`, {
      hint: `Make it again with \`byteify export ${root} --restart-from export\`.`,
    });
  }
  return { folder: join(root, OUTPUT), manifest };
}
