/** @module Inspects a hub model by its config and the headers of its files; no weights are downloaded. */

import { parseBltConfig } from '../../blt/index.js';
import { parseModelJson } from '../../fs/index.js';
import { type RemoteModel, readRemote } from '../../hub/index.js';
import { parseLlamaConfig } from '../../llama/index.js';
import { bltFacts, llamaFacts } from './facts.js';
import { inspectPath } from './inspect-path.js';
import { type Inspection, inspection } from './inspection.js';
import { partFinder } from './parts.js';

/**
 * @param model org/name, with an optional @revision. If the hub cannot be reached, the cached copy is inspected.
 * @throws UsageError when it is not a hub id; ByteifyError when the hub refuses, or the config has another architecture
 */
export async function inspectHub(model: string, signal: AbortSignal): Promise<Inspection> {
  const found = await readRemote(model, { signal });
  if ('folder' in found) return inspectPath(found.folder);
  const partOf = partFinder(found.tensors.map(({ name }) => name));
  const tensors = found.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape, part: partOf(name) }));
  const path = `${found.id}@${found.commit}`;
  return inspection({ ...describe(found), path, metadata: found.metadata }, tensors);
}

function describe({ id, config }: RemoteModel): Pick<Inspection, 'kind' | 'config'> {
  const where = `${id}/config.json`;
  const json = parseModelJson(new TextEncoder().encode(config), where, 'Try another revision of the model.');
  if (json.model_type === 'blt') return { kind: 'blt', config: bltFacts(parseBltConfig(json, where)) };
  return { kind: 'llama', config: llamaFacts(parseLlamaConfig(json, where)) };
}
