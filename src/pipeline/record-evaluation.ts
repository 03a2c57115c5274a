/** @module Records the results of an evaluation in the conversion's manifest, and in the card of its export. */
import { join } from 'node:path';
import { openConversion, readManifest, resolveCheckpoint } from '../conversion/index.js';
import { type ResultDocument, readResults } from '../evaluate/index.js';
import { readTextIfThere, writeFileAtomic } from '../fs/index.js';
import { CARD_NAME, withEvaluation } from '../release/index.js';

/**
 * Records results in a conversion; a folder without a manifest is left as it is.
 * @param folder of the results, which other suites may have written before
 * @throws ByteifyError when another process works in the conversion
 */
export async function recordEvaluation(dir: string, folder: string, results: readonly ResultDocument[]): Promise<void> {
  if ((await readManifest(dir)) === null) return;
  const conversion = await openConversion(dir);
  try {
    const finished = new Date().toISOString();
    const entries = results.map(
      ({ suite, model, source, item_count: items }) =>
        [suite, { finished, model: model.sha256, source: source?.sha256 ?? null, items }] as const,
    );
    await conversion.update((manifest) => ({
      ...manifest,
      evaluations: { ...manifest.evaluations, ...Object.fromEntries(entries) },
    }));
    const checkpoint = await resolveCheckpoint(dir);
    const path = join(checkpoint.folder, CARD_NAME);
    const card = checkpoint.origin === 'export' ? await readTextIfThere(path) : null;
    if (card === null) return;
    const { sha256 } = results[0]!.model;
    const ofThisModel = (await readResults(folder)).filter(({ model }) => model.sha256 === sha256);
    await writeFileAtomic(path, withEvaluation(card, ofThisModel));
  } finally {
    await conversion.close();
  }
}
