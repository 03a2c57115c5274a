// The data of bench:bytes: pictures and sounds of the PyPI package arcade (CC0), made small.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fetchPackage } from '../corpus/fetch-package.mjs';
import { unpack } from '../corpus/unpack.mjs';
import { bitmapOf, soundOf } from './media.mjs';

/** Its pictures and sounds are in the public domain (CC0). */
export const PACKAGE = { name: 'arcade', registry: 'pypi', wheel: true };
const PIN = {
  version: '3.3.3',
  file: 'arcade-3.3.3-py3-none-any.whl',
  sha256: '25f4e0e5b8bcbe7a7d087c0a23b19e9f423b0c70ec00945c8712c9a3e541ebd2',
  bytes: 42_669_158,
};
const LONGEST_SOUND_SECONDS = 2;

/** Writes what `convert` makes of each file with that ending. */
function convertAll(from, ending, to, convert) {
  mkdirSync(to, { recursive: true });
  const files = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending));
  for (const name of files.sort()) {
    const made = convert(readFileSync(join(from, name)));
    if (made === null) continue;
    const extension = made.toString('latin1', 0, 2) === 'BM' ? 'bmp' : 'wav';
    const stem = name.slice(0, -extname(name).length).replaceAll(/[\\/]/g, '-');
    writeFileSync(join(to, `${stem}.${extension}`), made);
  }
}

/**
 * @param {string} work
 * @returns {{ images: string, sounds: string, source: string }} folders, and what they were made from
 */
export function prepareMedia(work) {
  mkdirSync(work, { recursive: true });
  const unpacked = join(work, 'unpacked');
  const media = { images: join(work, 'images'), sounds: join(work, 'sounds') };
  for (const folder of [unpacked, ...Object.values(media)]) rmSync(folder, { recursive: true, force: true });
  unpack(fetchPackage(PACKAGE, PIN, work), unpacked);
  const assets = join(unpacked, 'arcade', 'resources', 'assets');
  convertAll(join(assets, 'images'), '.png', media.images, bitmapOf);
  convertAll(join(assets, 'sounds'), '.wav', media.sounds, (file) => soundOf(file, LONGEST_SOUND_SECONDS));
  rmSync(unpacked, { recursive: true });
  return { ...media, source: `${PACKAGE.name} ${PIN.version} (${basename(PIN.file)}, sha256 ${PIN.sha256})` };
}
