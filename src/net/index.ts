/** @module Requests that are retried, and files that are downloaded resumably and verified. */
export type { Sleep } from './backoff.js';
export { freePort } from './free-port.js';
export { partPath } from './part.js';
export { type RetryOptions, retryingFetch } from './retrying-fetch.js';
export { transferFile } from './transfer.js';
export { watchedBlob } from './watched-blob.js';
