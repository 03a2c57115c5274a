/**
 * @module Predicts a step of several processes that train on their own rows and sum their gradients in a ring: each process sends every part of the
 * gradients but one to its neighbour, once to add it up and once to spread the sums (Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce algorithms
 * for clusters of workstations").
 */

export interface Network {
  /** Bytes per second that a process sends to its neighbour while it receives as much from the other. */
  readonly bytesPerSecond: number;
  /** Seconds until a message has arrived, however short it is. */
  readonly latencySeconds: number;
}

export interface StepParts {
  /** Seconds in which a process computes the gradients of its rows. */
  readonly computeSeconds: number;
  /** Seconds of what every process does for the rows of all: packing, cutting, updating. */
  readonly serialSeconds: number;
  /** Bytes of each tensor that is summed by itself. */
  readonly buckets: readonly number[];
  /** Bytes that each process sends to every other one: the gradients of the rows of hash tables that its text has read. */
  readonly rowBytes: number;
}

/** Bytes that each process sends to sum a tensor: no method sends fewer. */
export const ringBytes = (bytes: number, processes: number): number => (2 * (processes - 1) * bytes) / processes;

/** Seconds of a sum over processes. */
export function ringSeconds(bytes: number, processes: number, network: Network): number {
  if (processes === 1) return 0;
  const messages = 2 * (processes - 1);
  return messages * network.latencySeconds + ringBytes(bytes, processes) / network.bytesPerSecond;
}

/** Seconds of a step: nothing of the sums is hidden behind the computation. */
export function stepSeconds(
  { computeSeconds, serialSeconds, buckets, rowBytes }: StepParts,
  processes: number,
  network: Network,
) {
  const sums = buckets.map((bytes) => ringSeconds(bytes, processes, network));
  const rowSeconds = ((processes - 1) * rowBytes) / network.bytesPerSecond;
  return computeSeconds + serialSeconds + rowSeconds + sums.reduce((total, seconds) => total + seconds, 0);
}
