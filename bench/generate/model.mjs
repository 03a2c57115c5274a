// Creates the models of bench:generate: a BLT from a source, and the source in the layout that transformers loads.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLlama, rowsInHalfOrder } from '../../dist/llama/index.js';
import { writeCheckpoint } from '../../dist/safetensors/index.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const byteify = (...args) => execFileSync(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });

/** Creates a file or folder unless it exists, under a temporary name until it is complete. */
async function once(path, make) {
  if (existsSync(path)) return path;
  const draft = `${path}.part`;
  rmSync(draft, { recursive: true, force: true });
  await make(draft);
  renameSync(draft, path);
  return path;
}

const imported = (work, source) => once(join(work, 'conversion'), (dir) => byteify('import', source, '--out', dir));

/**
 * An untrained BLT with the recipe's sizes. Training affects the speed only through the lengths of patches, so the threshold is calibrated
 * on `text` to the mean length in the paper.
 */
export async function untrainedBlt(work, source, text) {
  const conversion = await imported(work, source);
  return await once(join(work, 'blt'), (folder) => {
    byteify('remap', conversion, '--recipe', 'smollm2-135m');
    byteify('export', conversion, '--out', folder, '--dtype', 'bfloat16');
    byteify('patcher', 'calibrate', folder, '--target-bytes-per-patch', '4.5', '--data', text);
  });
}

/** The source as transformers loads it, with the rows of q and k in the half-split rotary layout. */
export async function transformersSource(work, source) {
  const from = join(await imported(work, source), 'source');
  return await once(join(work, 'transformers'), async (folder) => {
    mkdirSync(folder);
    const llama = await openLlama(from);
    await writeCheckpoint(folder, [...llama.reader.tensors.values()], async (tensor) =>
      rowsInHalfOrder(llama, tensor, await llama.reader.read(tensor.name)),
    );
    await llama.close();
    for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
      copyFileSync(join(from, name), join(folder, name));
  });
}
