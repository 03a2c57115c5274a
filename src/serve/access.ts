/** @module Access control: clients need the key if there is one, and a server on a loopback address refuses foreign host names. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { ApiError } from './api-error.js';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

/** @param address an IPv4 or IPv6 address */
export const isLoopback = (address: string): boolean =>
  isIP(address) !== 0 && LOOPBACK.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** The host name in a Host header, without its port; null if there is none. */
function nameIn(host: string | undefined): string | null {
  return (
    /^(\[[0-9a-f:.]+\]|[^:]+)(:\d+)?$/i
      .exec(host ?? '')?.[1]
      ?.replace(/^\[|\]$/g, '')
      .toLowerCase() ?? null
  );
}

/**
 * Protects a loopback server against DNS rebinding: a web page can make its own host name resolve to a loopback address, but the browser
 * still sends that name.
 * @param given the host on which the server was told to listen
 * @throws ApiError 403 for a name that does not belong to the loopback interface
 */
export function checkHost(host: string | undefined, given: string): void {
  const name = nameIn(host);
  if (name !== null && (name === 'localhost' || name === given.toLowerCase() || isLoopback(name))) return;
  throw new ApiError(403, 'This server only accepts loopback host names.', { code: 'foreign_host' });
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Compares the client's key in constant time. @throws ApiError 401 when it is missing or wrong */
export function checkKey(authorization: string | undefined, key: string): void {
  const given = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
  if (given !== undefined && timingSafeEqual(digest(given.trim()), digest(key))) return;
  const message =
    given === undefined ? 'A key is needed: send it as "Authorization: Bearer KEY".' : 'The key is wrong.';
  throw new ApiError(401, message, { code: 'invalid_api_key' });
}
