/** @module The first Ctrl-C requests a clean stop, the second ends the process. */

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** The exit codes that shells report for a process ended by a signal: 128 + the signal's number. */
export const EXIT_CODES: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/**
 * Under `npm start` a Ctrl-C arrives twice, from the terminal and forwarded by npm a moment later.
 * Signals this close together count as one request.
 */
const SAME_REQUEST_MS = 100;

export interface StopRequest {
  readonly signal: AbortSignal;
  /** The signal that requested the stop, or null. */
  requestedBy(): StopSignal | null;
  /** Removes the signal handlers. */
  dispose(): void;
}

export interface SignalSource {
  on(event: StopSignal, listener: (signal: StopSignal) => void): unknown;
  off(event: StopSignal, listener: (signal: StopSignal) => void): unknown;
}

/** @param options.onFirst called on the first signal, to tell the user that the work is stopping */
export function listenForStop(options: {
  source: SignalSource;
  exit: (code: number) => void;
  onFirst: (signal: StopSignal) => void;
  now?: () => number;
}): StopRequest {
  const { source, exit, onFirst, now = () => performance.now() } = options;
  const controller = new AbortController();
  let first: { signal: StopSignal; atMs: number } | null = null;
  const listener = (signal: StopSignal) => {
    if (first === null) {
      first = { signal, atMs: now() };
      onFirst(signal);
      controller.abort(new DOMException(`Stopped by ${signal}.`, 'AbortError'));
    } else if (now() - first.atMs > SAME_REQUEST_MS) {
      exit(EXIT_CODES[signal]);
    }
  };
  source.on('SIGINT', listener);
  source.on('SIGTERM', listener);
  return {
    signal: controller.signal,
    requestedBy: () => first?.signal ?? null,
    dispose() {
      source.off('SIGINT', listener);
      source.off('SIGTERM', listener);
    },
  };
}
