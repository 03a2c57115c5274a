/** @module A source to compare a model with: that of its conversion, or any Llama. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveCheckpoint } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { importModel } from '../import/index.js';
import type { StepContext } from './context.js';
import { importProgress } from './import-step.js';

/** Names the source from which a conversion was made. */
const OWN = 'source';

/** The folder of a conversion's own source. @throws UsageError if the folder is not a conversion, or has no source. */
async function ownSource(dir: string): Promise<string> {
  const { folder, origin } = await resolveCheckpoint(dir, { prefer: ['source'] });
  if (origin === 'source') return folder;
  throw new UsageError(`${dir} is a plain checkpoint folder, so its source is unknown.`, {
    hint: 'Name the source: a hub id, a folder or a .gguf file.',
  });
}

/**
 * Calls `work` with the folder of a Llama and its tokenizer.
 * @param against `source` for the conversion's own, otherwise a hub id, a folder or a .gguf file, which is imported into a temporary folder
 * @throws UsageError when there is no such model; ByteifyError when it cannot be read or downloaded; the signal's reason.
 */
export async function withLlama<T>(
  dir: string,
  against: string,
  context: Pick<StepContext, 'reporter' | 'signal'>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  if (against === OWN) return await work(await ownSource(dir));
  const temporary = await mkdtemp(join(tmpdir(), 'byteify-source-'));
  try {
    const out = join(temporary, 'source');
    context.reporter.stage(`Importing ${against}`);
    await importModel({ model: against, out, ...importProgress(against, context) });
    context.reporter.done();
    return await work(out);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
