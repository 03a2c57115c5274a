/**
 * @module What calls on other threads are using. TensorFlow aborts the process when a variable is destroyed under a running function, so
 * releasing one waits for the calls that use it.
 */

export interface InFlight {
  /** Keeps `used` until `call` settles. @returns what it returns */
  during<T>(used: readonly object[], call: () => Promise<T>): Promise<T>;
  /** Calls `release` once no call uses `what`: now, or as soon as the last one settles. */
  release(what: object, release: () => void): void;
}

/** Few calls run at a time, so a release looks through what they use: a call costs the same however many variables it has. */
interface Call {
  readonly used: readonly object[];
  readonly releases: (() => void)[];
}

export function trackInFlight(): InFlight {
  const calls = new Set<Call>();

  function release(what: object, now: () => void): void {
    const user = [...calls].find(({ used }) => used.includes(what));
    if (user === undefined) now();
    else user.releases.push(() => release(what, now));
  }

  return {
    release,
    async during(used, call) {
      const entry: Call = { used, releases: [] };
      calls.add(entry);
      try {
        return await call();
      } finally {
        calls.delete(entry);
        for (const next of entry.releases) next();
      }
    },
  };
}
