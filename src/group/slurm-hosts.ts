/** @module SLURM's compressed lists of hosts. */
import { UsageError } from '../errors.js';

/**
 * The first host of a list such as `gpu[007-012,020],login1`: `gpu007`.
 * @throws UsageError when the list names no host
 */
export function firstHost(list: string): string {
  const [, prefix = '', first = '', suffix = ''] = /^([^[,\s]*)(?:\[([0-9]+)[^\]]*\]([^,[]*))?/.exec(list) ?? [];
  const host = `${prefix}${first}${suffix}`;
  if (host !== '') return host;
  throw new UsageError(`The list of nodes ${JSON.stringify(list)} names no host.`, {
    hint: 'SLURM sets SLURM_STEP_NODELIST, for example to node[01-04].',
  });
}
