// Reads the documents of an unpacked package.
import { join } from 'node:path';
import { selectFiles } from './list-files.mjs';
import { mixed } from './minhash.mjs';
import { normalise } from './normalise.mjs';
import { READERS } from './readers/readers.mjs';

/** A number in [0, 1) that depends on a name only, so that a sample is the same on every machine. */
function drawOf(name) {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = mixed(hash ^ name.charCodeAt(i));
  return hash / 2 ** 32;
}

/** @typedef {{ kind: import('./packages.mjs').Kind, path: string, text: string }} Document */

/**
 * @param {string} root of the unpacked package
 * @param {import('./packages.mjs').Texts[]} selections
 * @returns {Generator<Document>}
 */
export function* readPackage(root, selections) {
  for (const { kind, reader, share = 1, ...selection } of selections)
    for (const path of selectFiles(root, selection)) {
      const texts = READERS[reader](join(root, path), selection);
      for (const [i, text] of texts.entries())
        if (drawOf(`${path} ${i}`) < share) yield { kind, path, text: normalise(text) };
    }
}
