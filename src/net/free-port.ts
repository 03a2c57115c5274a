/** @module Finds a free TCP port. */
import { createServer } from 'node:net';

/**
 * A port of an address that nothing listens at now. Another process may take it before the caller does.
 * @throws a system error when the address is not one of this machine
 */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
