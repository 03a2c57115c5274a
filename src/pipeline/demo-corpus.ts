/** @module The demo's text: the documentation in the installed packages, so that nothing is downloaded or shipped. */
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { walk } from '../fs/index.js';

/** Dependencies of byteify with useful documentation. */
const PACKAGES = [
  '@huggingface/hub',
  '@huggingface/tasks',
  '@huggingface/tokenizers',
  '@tensorflow/tfjs-core',
  'commander',
  'koffi',
  'ora',
  'yaml',
  'zod',
] as const;

/** The folder in which Node finds a package. */
function folderOf(name: string, resolveFrom: NodeJS.Require): string {
  const path = dirname(resolveFrom.resolve(name));
  const marker = join('node_modules', ...name.split('/'));
  return path.slice(0, path.lastIndexOf(marker) + marker.length);
}

/** All Markdown files of those packages that are not empty, in a stable order. */
export async function demoCorpus(): Promise<string[]> {
  const own = createRequire(import.meta.url);
  // tasks is a dependency of hub, and npm may have installed it inside hub's folder.
  const ofHub = createRequire(own.resolve('@huggingface/hub'));
  const files: string[] = [];
  for (const name of PACKAGES) {
    const folder = folderOf(name, name === '@huggingface/tasks' ? ofHub : own);
    const ownFolders = (path: string) => basename(path) !== 'node_modules';
    for await (const { path, kind } of walk(folder, { enter: ownFolders }))
      if (kind === 'file' && path.endsWith('.md')) files.push(join(folder, path));
  }
  // The user need not be told that empty files are left out.
  const sizes = await Promise.all(files.map((file) => stat(file)));
  return files.filter((_, i) => sizes[i]!.size > 0).sort();
}
