// Writes what docs/any-bytes.md trains on: DIR/text, DIR/images and DIR/sounds.
// Run: npm run data:media -- DIR
// The text is the demo's; images and sounds come from the PyPI package arcade. Needs pip.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { demoCorpus } from '../../dist/pipeline/index.js';
import { misuse } from '../misuse.mjs';
import { prepareMedia } from './prepare.mjs';

const [folder] = parseArgs({ allowPositionals: true }).positionals;
if (folder === undefined) misuse('name the folder to write');

const { images, sounds, source } = prepareMedia(folder);
const text = join(folder, 'text');
rmSync(text, { recursive: true, force: true });
mkdirSync(text);
const files = await demoCorpus();
for (const [i, file] of files.entries()) copyFileSync(file, join(text, `${String(i).padStart(3, '0')}.md`));

for (const made of [text, images, sounds]) process.stdout.write(`${made}: ${readdirSync(made).length} files\n`);
process.stdout.write(`Images and sounds are made from ${source}.\n`);
