/** @module Values that rank 0 tells the others. */
import type { Channel, ProcessGroup } from './process-group.js';

/**
 * Computes a value on rank 0 and returns it on every process. It travels as JSON.
 * @throws what `compute` throws, on rank 0; ByteifyError on the others when a process is lost
 */
export async function shareFromLeader<T>(
  { rank }: Pick<ProcessGroup, 'rank'>,
  channel: Channel,
  compute: () => T | Promise<T>,
): Promise<T> {
  const own = rank === 0 ? JSON.stringify(await compute()) : '';
  const [leaders] = await channel.gather(Buffer.from(own));
  return JSON.parse(Buffer.from(leaders!).toString()) as T;
}
