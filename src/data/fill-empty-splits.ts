/** @module With few documents, one split of a domain can end up empty; then one document chunk moves to it. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesFile, endsFile, type OpenSplit, openSplit, placesFile, type Split, type SplitName } from './store.js';
import {
  appendChunk,
  type Counts,
  closeSplitWriter,
  createSplitWriter,
  type SplitWriter,
  writtenTo,
} from './store-writer.js';
import { uniformDraw } from './uniform-draw.js';

export const SPLITS = ['train', 'validation'] as const;
const otherThan = (name: SplitName): SplitName => (name === 'train' ? 'validation' : 'train');

/** The split of a domain that has no chunk while the other can give one; null if there is none. */
function emptySplit(counts: Counts): SplitName | null {
  return SPLITS.find((name) => counts[name].pieces === 0 && counts[otherThan(name)].pieces >= 2) ?? null;
}

/** Of the chunks from `from` to before `to`, the one that the smallest change of the held-out fraction would have moved: contents decide, not positions. */
async function nearest(split: Split, from: number, to: number, draw: (chunk: Uint8Array) => number): Promise<number> {
  let best = from;
  let bestDraw = Number.POSITIVE_INFINITY;
  for (let chunk = from; chunk < to; chunk++) {
    const drawn = draw(await split.read(chunk));
    if (drawn < bestDraw) [best, bestDraw] = [chunk, drawn];
  }
  return best;
}

const difference = (now: Counts, before: Counts): Counts => ({
  train: { pieces: now.train.pieces - before.train.pieces, bytes: now.train.bytes - before.train.bytes },
  validation: {
    pieces: now.validation.pieces - before.validation.pieces,
    bytes: now.validation.bytes - before.validation.bytes,
  },
});

/** What was written between each two of the counts. */
export const between = (counts: readonly Counts[]): Counts[] =>
  counts.slice(1).map((now, i) => difference(now, counts[i]!));

/** Opens both splits under other names, so that new files can take their names. */
async function setAside(folder: string, sources: readonly string[]) {
  const aside = (name: SplitName) => ({
    bytes: join(folder, `old-${bytesFile(name)}`),
    ends: join(folder, `old-${endsFile(name)}`),
    places: join(folder, `old-${placesFile(name)}`),
  });
  for (const name of SPLITS) {
    await rename(join(folder, bytesFile(name)), aside(name).bytes);
    await rename(join(folder, endsFile(name)), aside(name).ends);
    await rename(join(folder, placesFile(name)), aside(name).places);
  }
  const opened = (name: SplitName) => {
    const { places, ...files } = aside(name);
    return openSplit(sources.length === 0 ? files : { ...files, elsewhere: { places, sources } });
  };
  const splits = { train: await opened('train'), validation: await opened('validation') };
  return {
    ...splits,
    async remove() {
      for (const name of SPLITS) {
        await splits[name].close();
        for (const path of Object.values(aside(name))) await rm(path);
      }
    },
  };
}

type Sides = Readonly<Record<SplitName, SplitWriter>>;

/** Writes the chunks of all domains, of each those of `train` first, and gives each empty split its chunk. @returns the counts of each domain */
async function redistribute(
  old: Readonly<Record<SplitName, OpenSplit>>,
  writers: Sides,
  domains: readonly Counts[],
  seed: number,
): Promise<Counts[]> {
  const written = (): Counts => ({ train: writtenTo(writers.train), validation: writtenTo(writers.validation) });
  const counts = [written()];
  const start = { train: 0, validation: 0 };
  for (const domain of domains) {
    const to = emptySplit(domain);
    // A small draw means validation.
    const draw = (chunk: Uint8Array) => (to === 'validation' ? 1 : -1) * uniformDraw(seed, chunk);
    for (const name of SPLITS) {
      const [first, end] = [start[name], start[name] + domain[name].pieces];
      const given = to === null || to === name ? null : await nearest(old[name], first, end, draw);
      for (let chunk = first; chunk < end; chunk++)
        await appendChunk(writers[chunk === given ? to! : name], await old[name].read(chunk), old[name].place(chunk));
      start[name] = end;
    }
    counts.push(written());
  }
  return between(counts);
}

/**
 * Moves one document chunk into each empty split of a domain whose other split has at least two. Rewrites the files of a closed writer.
 * @param domains the counts of each domain, in the order in which they were written; @param options.sources in which bytes stay
 * @returns their counts now
 */
export async function fillEmptySplits(
  folder: string,
  domains: readonly Counts[],
  { seed, sources }: { readonly seed: number; readonly sources: readonly string[] },
): Promise<Counts[]> {
  if (domains.every((counts) => emptySplit(counts) === null)) return [...domains];
  const old = await setAside(folder, sources);
  const writers: Sides = {
    train: await createSplitWriter(folder, 'train'),
    validation: await createSplitWriter(folder, 'validation'),
  };
  try {
    return await redistribute(old, writers, domains, seed);
  } finally {
    await Promise.all(SPLITS.map((name) => closeSplitWriter(writers[name])));
    await old.remove();
  }
}
