/** @module Plain values that processes tell each other, as JSON. */
import type { Channel, ProcessGroup } from './process-group.js';

/** Sends a value and receives those of all processes, by rank. @throws ByteifyError when a process is lost */
export async function gatherValues<T>(channel: Channel, own: T): Promise<T[]> {
  const bodies = await channel.gather(Buffer.from(JSON.stringify(own)));
  return bodies.map((body) => JSON.parse(Buffer.from(body).toString()) as T);
}

/**
 * Computes a value on rank 0 and returns it on every process.
 * @throws what `compute` throws, on rank 0; ByteifyError on the others when a process is lost
 */
export async function shareFromLeader<T>(
  { rank }: Pick<ProcessGroup, 'rank'>,
  channel: Channel,
  compute: () => T | Promise<T>,
): Promise<T> {
  const [leaders] = await gatherValues<T | null>(channel, rank === 0 ? await compute() : null);
  return leaders as T;
}
