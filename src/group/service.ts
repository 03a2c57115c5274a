/** @module The service of a group, which rank 0 keeps in a thread of its own: it connects the processes to the roster. */
import { createServer, type Server, type Socket } from 'node:net';
import { readFrames, writeFrame } from './frames.js';
import { type Request, SIGNS_OF_LIFE } from './messages.js';
import { createRoster, type Peer, type Roster, type RosterOptions } from './roster.js';

export interface ServiceOptions extends Omit<RosterOptions, 'now'> {
  readonly host: string;
  readonly port: number;
}

function connect(socket: Socket, roster: Roster): void {
  let rank: number | null = null;
  const peer: Peer = {
    send: (answer, body) => {
      if (socket.writable) writeFrame(socket, answer, body);
    },
  };
  socket.setNoDelay(true);
  readFrames<Request>(
    socket,
    ({ header, body }) => {
      if (rank !== null) roster.handle(rank, header, body);
      else if (header.type === 'join' && roster.join(header, peer)) rank = header.rank;
    },
    // It does not speak this protocol.
    () => socket.destroy(),
  );
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    if (rank !== null) roster.gone(rank);
  });
}

/** Opens the service. @throws a system error when the address cannot be listened at */
export function openService({ host, port, ...options }: ServiceOptions): Promise<Server> {
  const roster = createRoster({ ...options, now: () => performance.now() / 1000 });
  const server = createServer((socket) => connect(socket, roster));
  const timer = setInterval(() => roster.check(), (options.limits.silence * 1000) / SIGNS_OF_LIFE);
  server.on('close', () => clearInterval(timer));
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      clearInterval(timer);
      reject(error);
    });
    server.listen({ host, port }, () => resolve(server));
  });
}
