/** @module Little text may fall on one side entirely; then one piece of it goes to the other. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesFile, endsFile, openSplit, type Split, type SplitCounts, type SplitName } from './store.js';
import { appendPiece, closeSplitWriter, createSplitWriter } from './store-writer.js';
import { uniformDraw } from './uniform-draw.js';

type Sides = Readonly<Record<SplitName, SplitCounts>>;

/** The piece that would have crossed first had the share been another: its content decides, not its place. */
async function nearest(split: Split, seed: number, sign: 1 | -1): Promise<number> {
  let best = 0;
  let bestDraw = Number.POSITIVE_INFINITY;
  for (let piece = 0; piece < split.count; piece++) {
    const draw = sign * uniformDraw(seed, await split.read(piece));
    if (draw < bestDraw) [best, bestDraw] = [piece, draw];
  }
  return best;
}

/** Sides of which both have a piece, if there are two pieces at all. The files of a closed writer are written anew. */
export async function fillEmptySplit(folder: string, sides: Sides, seed: number): Promise<Sides> {
  const to: SplitName | null = sides.train.pieces === 0 ? 'train' : sides.validation.pieces === 0 ? 'validation' : null;
  if (to === null) return sides;
  const from = to === 'train' ? 'validation' : 'train';
  if (sides[from].pieces < 2) return sides;

  const aside = { bytes: join(folder, `old-${bytesFile(from)}`), ends: join(folder, `old-${endsFile(from)}`) };
  await rename(join(folder, bytesFile(from)), aside.bytes);
  await rename(join(folder, endsFile(from)), aside.ends);
  const old = await openSplit(aside);
  const kept = await createSplitWriter(folder, from);
  const given = await createSplitWriter(folder, to);
  try {
    // A small draw means validation.
    const chosen = await nearest(old, seed, to === 'validation' ? 1 : -1);
    for (let piece = 0; piece < old.count; piece++)
      await appendPiece(piece === chosen ? given : kept, await old.read(piece));
  } finally {
    await old.close();
  }
  for (const path of Object.values(aside)) await rm(path);
  const counts = { [from]: await closeSplitWriter(kept), [to]: await closeSplitWriter(given) };
  return counts as Record<SplitName, SplitCounts>;
}
