/**
 * Converts the embedded tiny Llama into a BLT, as `byteify demo` does, with progress on stderr and a checkpoint on Ctrl-C.
 *
 * Set up:  npm install byteify-blt && npx byteify setup
 * Run:     node convert.ts TEXT_FOLDER OUT [KEY=VALUE...]    (Node 22.18 or newer; before that: npx tsx convert.ts ...)
 * Then:    npx byteify generate OUT --prompt "The "
 *
 * Running it again resumes. KEY=VALUE overrides a key of the recipe: stages.1.steps=200
 */
import { convert, createReporter, loadRecipe, openConversion, readManifest, startEngine } from 'byteify-blt';

const [text, out, ...sets] = process.argv.slice(2);
if (text === undefined || out === undefined) {
  console.error('usage: node convert.ts TEXT_FOLDER OUT [KEY=VALUE...]');
  process.exit(2);
}

// A hub id (org/name), a transformers folder or a .gguf file would do as well, with a recipe of its size.
const model = 'builtin:tiny-llama';
const recipe = await loadRecipe('tiny', { sets });
const reporter = createReporter({ stream: process.stderr, env: process.env, json: false });
const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('Stopped; the last checkpoint is kept.')));

await startEngine();
const conversion = await openConversion(out);
try {
  await convert({ conversion, recipe, reporter, signal: stop.signal }, model, [text]);
} finally {
  // Releases the lock on the folder, so that it must not be skipped.
  await conversion.close();
}

const { validation_bits_per_byte: blt, source_bits_per_byte: source } =
  (await readManifest(out))?.stages.finetune?.metrics ?? {};
console.log(`${out}/blt: ${blt?.toFixed(3)} bits per byte on held-out text; the Llama has ${source?.toFixed(3)}.`);
