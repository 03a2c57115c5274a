/** @module With little text, one split can end up empty; then one document chunk moves to it. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesFile, endsFile, openSplit, type Split, type SplitCounts, type SplitName } from './store.js';
import { appendChunk, closeSplitWriter, createSplitWriter } from './store-writer.js';
import { uniformDraw } from './uniform-draw.js';

type Splits = Readonly<Record<SplitName, SplitCounts>>;

/** The document chunk that the smallest change of the held-out fraction would have moved: its content decides, not its position. */
async function nearest(split: Split, seed: number, sign: 1 | -1): Promise<number> {
  let best = 0;
  let bestDraw = Number.POSITIVE_INFINITY;
  for (let chunk = 0; chunk < split.count; chunk++) {
    const draw = sign * uniformDraw(seed, await split.read(chunk));
    if (draw < bestDraw) [best, bestDraw] = [chunk, draw];
  }
  return best;
}

/**
 * Moves one document chunk into an empty split, if the other has at least two. Rewrites the files of a closed writer.
 * @returns the counts of both splits
 */
export async function fillEmptySplit(folder: string, splits: Splits, seed: number): Promise<Splits> {
  const to: SplitName | null =
    splits.train.pieces === 0 ? 'train' : splits.validation.pieces === 0 ? 'validation' : null;
  if (to === null) return splits;
  const from = to === 'train' ? 'validation' : 'train';
  if (splits[from].pieces < 2) return splits;

  const aside = { bytes: join(folder, `old-${bytesFile(from)}`), ends: join(folder, `old-${endsFile(from)}`) };
  await rename(join(folder, bytesFile(from)), aside.bytes);
  await rename(join(folder, endsFile(from)), aside.ends);
  const old = await openSplit(aside);
  const kept = await createSplitWriter(folder, from);
  const given = await createSplitWriter(folder, to);
  try {
    // A small draw means validation.
    const chosen = await nearest(old, seed, to === 'validation' ? 1 : -1);
    for (let chunk = 0; chunk < old.count; chunk++)
      await appendChunk(chunk === chosen ? given : kept, await old.read(chunk));
  } finally {
    await old.close();
  }
  for (const path of Object.values(aside)) await rm(path);
  const counts = { [from]: await closeSplitWriter(kept), [to]: await closeSplitWriter(given) };
  return counts as Record<SplitName, SplitCounts>;
}
