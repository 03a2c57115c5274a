/** @module Lists the shards of a prepared folder as the files of a text store. */
import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import { isThere } from '../../fs/index.js';
import { PLAN_FILE, PREPARED_FILE, readPrepared, SHARD_FILE } from './manifests.js';

/** Why the shards of a prepared folder cannot be used yet. */
export const UNFINISHED = 'it is a prepared folder that is not complete';

/**
 * The records of a prepared folder's shards, in order.
 * @returns null if the folder is not a prepared one; `unfinished` if parts of it are missing or not merged.
 * @throws ByteifyError if its record is invalid
 */
export async function preparedShards(folder: string): Promise<string[] | 'unfinished' | null> {
  const prepared = await readPrepared(folder);
  if (prepared !== null) return prepared.shards.map(({ path }) => join(folder, path, SHARD_FILE));
  return isThere(join(folder, PLAN_FILE)) ? 'unfinished' : null;
}

/** For a folder that was named itself. */
export const notMerged = (folder: string): UsageError =>
  new UsageError(`${folder} is a prepared folder without ${PREPARED_FILE}: parts of it are missing, or not merged.`, {
    hint: 'Run the missing parts, then `byteify prepare --merge --out DIR`.',
  });
