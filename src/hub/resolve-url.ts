/** @module Where the hub gives a file's bytes. */

/** /resolve/ serves every file of up to 50 GB, whichever storage lies behind it. */
export function resolveUrl(source: { endpoint: string; id: string; commit: string }, path: string): string {
  const { endpoint, id, commit } = source;
  return `${endpoint}/${id}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
}
