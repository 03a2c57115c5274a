// Reads the documents of an unpacked package.
import { join } from 'node:path';
import { drawOf } from './draw.mjs';
import { selectFiles } from './list-files.mjs';
import { normalise } from './normalise.mjs';
import { READERS } from './readers/readers.mjs';

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
