// What general compressors make of documents, in bits per byte, as a yardstick for bits per byte of a model.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** @param {string[]} args @param {Uint8Array} input @returns {number} bytes of output */
function zstdBytes(args, input) {
  const { status, stdout, stderr, error } = spawnSync('zstd', ['-19', '-c', '-q', ...args], {
    input,
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) throw new Error(`zstd cannot be started (${error.message}); install it first`);
  if (status !== 0) throw new Error(`zstd failed: ${stderr}`);
  return stdout.length;
}

/**
 * Bits per byte of documents, each compressed by itself: `gzip` -9, `zstd` -19, and `zstdAfter` -19 with the training data as a dictionary, which is
 * what a trained model knows as well. Headers count.
 * @param {readonly Uint8Array[]} documents @param {Uint8Array} training
 */
export function compressedBits(documents, training) {
  const folder = mkdtempSync(join(tmpdir(), 'byteify-zstd-'));
  try {
    const reference = join(folder, 'training');
    writeFileSync(reference, training);
    const bytes = documents.reduce((sum, { length }) => sum + length, 0);
    const bits = (size) => (8 * documents.reduce((sum, document) => sum + size(document), 0)) / bytes;
    return {
      gzip: bits((document) => gzipSync(document, { level: 9 }).length),
      zstd: bits((document) => zstdBytes([], document)),
      zstdAfter: bits((document) =>
        zstdBytes([`--patch-from=${reference}`, `--stream-size=${document.length}`], document),
      ),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
