/** @module The URL of a file on the hub. */

/**
 * The download URL of a file at a commit. /resolve/ serves every file of up to 50 GB from any of the hub's storages; those in
 * Xet storage are reassembled, and match the listed sha256.
 */
export function resolveUrl(source: { endpoint: string; id: string; commit: string }, path: string): string {
  const { endpoint, id, commit } = source;
  return `${endpoint}/${id}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
}
