/** @module Who may ask: whoever has the key where there is one, and only pages of this server where it listens on the loopback. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { ApiError } from './api-error.js';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

/** @param address of IPv4 or IPv6 */
export const isLoopback = (address: string): boolean =>
  isIP(address) !== 0 && LOOPBACK.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** The name in a Host header, its port left out; null where there is none. */
function nameIn(host: string | undefined): string | null {
  return (
    /^(\[[0-9a-f:.]+\]|[^:]+)(:\d+)?$/i
      .exec(host ?? '')?.[1]
      ?.replace(/^\[|\]$/g, '')
      .toLowerCase() ?? null
  );
}

/**
 * A page of the web can make its own name point to the loopback, and so read what a server there says to it; but the browser tells the name.
 * @param given the host that the server was told to listen on
 * @throws ApiError 403 for a name that is not the loopback's
 */
export function checkHost(host: string | undefined, given: string): void {
  const name = nameIn(host);
  if (name !== null && (name === 'localhost' || name === given.toLowerCase() || isLoopback(name))) return;
  throw new ApiError(403, 'This server answers to the names of the loopback alone.', { code: 'foreign_host' });
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Takes as long for a wrong key as for the right one. @throws ApiError 401 */
export function checkKey(authorization: string | undefined, key: string): void {
  const given = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
  if (given !== undefined && timingSafeEqual(digest(given.trim()), digest(key))) return;
  const message =
    given === undefined ? 'A key is needed: send it as "Authorization: Bearer KEY".' : 'The key is not right.';
  throw new ApiError(401, message, { code: 'invalid_api_key' });
}
