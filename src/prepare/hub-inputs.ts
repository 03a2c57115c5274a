/** @module Datasets of the hub as inputs: their data files, downloaded one by one when their turn comes, and the licence that their card states. */
import { readFile } from 'node:fs/promises';
import { type DomainKind, documentsOf, type PlannedInput } from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { type Dataset, type DatasetFile, type HubOptions, openDataset, parseDatasetId } from '../hub/index.js';
import { licenceNameOf, readCard } from '../release/index.js';
import type { PrepareInput } from './input.js';

const PREFIX = 'hub:';

export const isHubInput = (input: string): boolean => input.startsWith(PREFIX);

/** How to reach the hub. */
export type HubSource = Omit<HubOptions, 'signal'>;

/** The files of a dataset that hold documents, by the names that the hub's datasets use. */
const DATA_FILE = /\.(parquet|(jsonl|ndjson|json|txt)(\.(gz|zst))?)$/i;
/** Descriptions of datasets, not data. */
const DESCRIPTION = /(^|\/)(dataset_infos?|dataset_dict|state)\.json$/;

/** Whether a path is, or is below, what a pattern with `*` names. A star matches within one part of a path. */
function isSelected(path: string, pattern: string): boolean {
  if (pattern === '') return true;
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');
  return new RegExp(`^${escaped}(/|$)`).test(path);
}

/** The licence of the dataset's card; null if it has none. */
async function licenceOf({ files }: Dataset): Promise<string | null> {
  const card = files.find(({ path }) => path === 'README.md');
  if (card === undefined) return null;
  return licenceNameOf(readCard(await readFile(await card.fetch(), 'utf8')).front);
}

function hubInput(file: DatasetFile, { id, commit }: Dataset, license: string | null): PrepareInput {
  const planned: PlannedInput = {
    ...{ name: `${PREFIX}${id}@${commit}/${file.path}`, size_bytes: file.sizeBytes },
    ...{ modified: null, digest: file.digest, license },
  };
  return {
    ...{ ...planned, path: null },
    async *documents({ column, ...options }: { column: string; kind: DomainKind; onStored: (b: Uint8Array) => void }) {
      yield* documentsOf({ path: await file.fetch(), textKey: column, ...options });
    },
  };
}

/**
 * The data files of a dataset.
 * @param input hub:datasets/org/name[@revision][/path]
 * @throws UsageError if it is not an id; ByteifyError if the hub refuses, or it has no such files
 */
export async function hubInputs(
  input: string,
  options: {
    readonly licences: ReadonlyMap<string, string>;
    readonly hub: HubSource;
    readonly signal?: AbortSignal;
  },
): Promise<PrepareInput[]> {
  const { licences, hub, signal } = options;
  const name = input.slice(PREFIX.length);
  const { id, path: pattern } = parseDatasetId(name);
  const dataset = await openDataset(name, { ...hub, ...(signal && { signal }) });
  const files = dataset.files.filter(
    ({ path }) => DATA_FILE.test(path) && !DESCRIPTION.test(path) && isSelected(path, pattern),
  );
  if (files.length === 0)
    throw new ByteifyError(`${id} has no files of data${pattern === '' ? '' : ` under ${pattern}`}.`, {
      hint: 'Parquet, JSON lines, JSON and text are read. Many datasets have Parquet in the revision refs/convert/parquet.',
    });
  const license = licences.get(input) ?? licences.get('') ?? (await licenceOf(dataset));
  return files.sort((a, b) => (a.path < b.path ? -1 : 1)).map((file) => hubInput(file, dataset, license));
}
