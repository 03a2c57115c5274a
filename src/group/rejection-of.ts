/** @module An abort as a promise, for work that must not wait longer. */

/** A promise that never resolves, and rejects with the signal's reason when it is aborted. Nobody needs to handle it. */
export function rejectionOf(signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  rejection.catch(() => {});
  return rejection;
}
