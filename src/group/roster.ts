/**
 * @module What the service of a group knows: who has joined, what they exchange, and whether all of them are alive. It has no sockets and no clock of its
 * own. Times are of one machine's monotonic clock, so the clocks of the machines need not agree.
 */
import type { Answer, Limits, Member, Request, Turn } from './messages.js';

/** A process that has joined, or wants to. */
export interface Peer {
  send(answer: Answer, body?: Uint8Array): void;
}

export interface RosterOptions {
  readonly size: number;
  readonly version: string;
  readonly limits: Limits;
  /** Seconds. */
  readonly now: () => number;
}

interface Joined extends Member {
  readonly peer: Peer;
  heardAt: number;
  /** It said that it is done. */
  left: boolean;
}

interface Gathering {
  readonly bodies: Map<number, Uint8Array>;
  readonly startedAt: number;
  readonly patient: boolean;
}

const described = ({ rank, host, pid }: Member): string => `Process ${rank} (pid ${pid} on ${host})`;

/** `Process 2`, `Processes 1, 2 and 3`. */
function listed(ranks: readonly number[]): string {
  if (ranks.length === 1) return `Process ${ranks[0]}`;
  return `Processes ${ranks.slice(0, -1).join(', ')} and ${ranks.at(-1)}`;
}

export type Roster = ReturnType<typeof createRoster>;

export function createRoster({ size, version, limits, now }: RosterOptions) {
  const members = new Map<number, Joined>();
  const gatherings = new Map<string, Gathering>();
  const openedAt = now();
  let ended = false;

  const sendAll = (answer: Answer, body?: Uint8Array) => {
    for (const { peer } of members.values()) peer.send(answer, body);
  };

  /** Tells all processes, once, that the group has ended. */
  function end(message: string): void {
    if (!ended) sendAll({ type: 'lost', message });
    ended = true;
  }

  /** Why a process cannot join, and what to do; null if it can. */
  function refusal({ rank, size: theirs, version: other }: Request & { type: 'join' }): [string, string] | null {
    if (other !== version) {
      const message = `Process ${rank} runs byteify ${other}, and process 0 runs ${version}.`;
      return [message, 'Install the same version on all machines.'];
    }
    if (theirs !== size) {
      const message = `Process ${rank} was launched as one of ${theirs}, and process 0 as one of ${size}.`;
      return [message, 'Start all processes with the same number of processes.'];
    }
    const there = members.get(rank);
    if (there === undefined) return null;
    const message = `${described(there)} has joined already, and another process says that it is ${rank}.`;
    return [message, 'If another job uses the same port, set MASTER_PORT. Otherwise give each process its own rank.'];
  }

  function gather(rank: number, { channel, turn, patient }: Turn & { patient: boolean }, body: Uint8Array): void {
    const key = `${channel} ${turn}`;
    const gathering = gatherings.get(key) ?? { bodies: new Map(), startedAt: now(), patient };
    gatherings.set(key, gathering);
    gathering.bodies.set(rank, body);
    const gone = [...members.values()].find((member) => member.left && !gathering.bodies.has(member.rank));
    if (gone !== undefined) end(`${described(gone)} has left, and process ${rank} waits for it.`);
    if (gathering.bodies.size < size) return;
    gatherings.delete(key);
    const bodies = Array.from({ length: size }, (_, i) => gathering.bodies.get(i)!);
    sendAll({ type: 'gathered', channel, turn, lengths: bodies.map(({ length }) => length) }, Buffer.concat(bodies));
  }

  /** What is wrong now; null if nothing is. */
  function fault(): string | null {
    if (members.size < size && now() - openedAt > limits.join) {
      const missing = Array.from({ length: size }, (_, i) => i).filter((i) => !members.has(i));
      return `${listed(missing)} of ${size} did not join within ${limits.join} s.`;
    }
    const silent = [...members.values()].find(({ left, heardAt }) => !left && now() - heardAt > limits.silence);
    if (silent !== undefined) return `${described(silent)} has given no sign of life for ${limits.silence} s.`;
    for (const [key, { bodies, startedAt, patient }] of gatherings) {
      if (patient || now() - startedAt <= limits.step) continue;
      const missing = [...members.keys()].filter((rank) => !bodies.has(rank)).sort((a, b) => a - b);
      return `${listed(missing)} did not reach ${key} within ${limits.step} s, and the others wait for it.`;
    }
    return null;
  }

  return {
    /** @returns whether the process may join. Once all have, they are told. */
    join(request: Request & { type: 'join' }, peer: Peer): boolean {
      const refused = refusal(request);
      if (refused !== null) {
        peer.send({ type: 'refused', message: refused[0], hint: refused[1] });
        return false;
      }
      const { rank, host, pid } = request;
      members.set(rank, { rank, host, pid, peer, heardAt: now(), left: false });
      if (members.size === size) {
        const all = [...members.values()].sort((a, b) => a.rank - b.rank);
        sendAll({ type: 'joined', members: all.map(({ rank, host, pid }) => ({ rank, host, pid })) });
      }
      return true;
    },
    /** A message of a process that has joined. */
    handle(rank: number, request: Request, body: Uint8Array): void {
      const member = members.get(rank)!;
      member.heardAt = now();
      if (request.type === 'gather') gather(rank, request, body);
      if (request.type === 'stop') sendAll({ type: 'stop' });
      if (request.type === 'failed') end(`${described(member)} failed: ${request.message}`);
      if (request.type === 'leave') member.left = true;
    },
    /** The connection of a process is gone. */
    gone(rank: number): void {
      const member = members.get(rank)!;
      if (!member.left) end(`${described(member)} has ended.`);
      member.left = true;
    },
    /** Called regularly: gives a sign of life, and tells all processes if one is lost. */
    check(): void {
      sendAll({ type: 'alive' });
      const message = fault();
      if (message !== null) end(message);
    },
  };
}
