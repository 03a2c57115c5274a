/** @module The items of a suite in parts, which separate processes answer, and their answers put together again. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../../errors.js';
import { isThere } from '../../fs/index.js';
import type { Part } from '../../part.js';
import type { Item } from '../suites/item.js';
import type { Suite } from '../suites/suite.js';
import { type RecordedOutcome, readOutcomes } from './outcome-file.js';

/** The folder of a part's answers. @param out that of all results */
export const partFolder = (out: string, { part, parts }: Part): string => join(out, 'parts', `${part}-of-${parts}`);

/** The parts that have a folder. */
export async function partsIn(out: string): Promise<Part[]> {
  const folder = join(out, 'parts');
  const names = (await isThere(folder)) ? await readdir(folder) : [];
  const found = names.map((name) => /^(\d+)-of-(\d+)$/.exec(name)).filter((match) => match !== null);
  return found.map(([, part, parts]) => ({ part: Number(part), parts: Number(parts) }));
}

/** Tells of items in order to which part each belongs: units take turns, so that the items of one stay together. */
function divider(parts: number): (item: Item) => number {
  let units = -1;
  let last: string | null = null;
  return ({ unit, id }) => {
    const own = unit ?? id;
    if (own !== last) units++;
    last = own;
    return units % parts;
  };
}

/** The suite with the items of one part. */
export function partOfSuite(suite: Suite, { part, parts }: Part): Suite {
  return {
    ...suite,
    async *items(options) {
      const partOf = divider(parts);
      for await (const item of suite.items(options)) if (partOf(item) === part) yield item;
    },
  };
}

/** @throws ByteifyError if an answer is to another item than the one whose turn it is */
export function checkOrder(recorded: RecordedOutcome, item: Item, file: string): void {
  if (recorded.id === item.id) return;
  throw new ByteifyError(`${file} contains the answer to "${recorded.id}" where that to "${item.id}" belongs.`, {
    hint: 'Delete the file; the evaluation then starts over.',
  });
}

/** A part and the file of its answers. */
export interface PartAnswers extends Part {
  readonly file: string;
}

/** Reads the answers of parts side by side. Ask for every item of the whole suite, in order. */
export function readParts(answers: readonly PartAnswers[]) {
  const readers = answers.map(({ part, parts, file }) => ({
    ...{ part, file, partOf: divider(parts) },
    recorded: readOutcomes(file),
  }));
  return {
    /** The answer to an item; null if no part has it. @throws ByteifyError for a file that belongs to other items */
    async answerTo(item: Item): Promise<RecordedOutcome | null> {
      let found: RecordedOutcome | null = null;
      for (const { part, file, partOf, recorded } of readers) {
        if (partOf(item) !== part) continue;
        const { value, done } = await recorded.next();
        if (done === true) continue;
        checkOrder(value, item, file);
        found = value;
      }
      return found;
    },
    async close(): Promise<void> {
      for (const { recorded } of readers) await recorded.return(undefined);
    },
  };
}
