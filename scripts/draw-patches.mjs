// Draws docs/images/patches.svg, the README's picture, from docs/images/patches.json. With the folder of `byteify demo`, it first measures
// the data: the tokens of the embedded tiny Llama, and the patches and entropies of the conversion's patcher.
// Run: npm run -s figure [-- DIR]
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokenizer } from '../dist/tokenizer/index.js';
import { patchFigure } from './patch-figure/figure.mjs';

const TEXT = 'It is used to create the';

const root = fileURLToPath(new URL('..', import.meta.url));
const dataFile = join(root, 'docs/images/patches.json');
const figureFile = join(root, 'docs/images/patches.svg');

/** The text as the tokenizer and the conversion's patcher segment it. */
async function measured(folder) {
  const cli = [join(root, 'dist/cli.js'), 'patch', folder, '--json'];
  const cut = JSON.parse(execFileSync(process.execPath, cli, { input: TEXT, encoding: 'utf8' }));
  const config = JSON.parse(readFileSync(join(folder, 'blt/config.json'), 'utf8'));
  const tokenizer = await loadTokenizer(join(root, 'assets/tiny-llama'));
  const decoder = new TextDecoder();
  return {
    text: TEXT,
    tokens: tokenizer.encode(TEXT).map((id) => decoder.decode(tokenizer.tokenBytes(id))),
    // The first patch is BOS.
    patch_lengths: cut.patch_lengths.slice(1),
    entropy_nats: cut.entropy_nats.map((nats) => Math.round(nats * 1000) / 1000),
    threshold_nats: config.patching_threshold,
  };
}

const [folder] = process.argv.slice(2);
if (folder !== undefined) writeFileSync(dataFile, `${JSON.stringify(await measured(folder), null, 2)}\n`);
writeFileSync(figureFile, patchFigure(JSON.parse(readFileSync(dataFile, 'utf8'))));
