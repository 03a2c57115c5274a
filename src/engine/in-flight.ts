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

interface Use {
  calls: number;
  readonly releases: (() => void)[];
}

export function trackInFlight(): InFlight {
  const uses = new Map<object, Use>();

  function begin(what: object): void {
    const use = uses.get(what) ?? { calls: 0, releases: [] };
    use.calls++;
    uses.set(what, use);
  }

  function end(what: object): void {
    const use = uses.get(what)!;
    use.calls--;
    if (use.calls > 0) return;
    uses.delete(what);
    for (const release of use.releases) release();
  }

  return {
    async during(used, call) {
      for (const what of used) begin(what);
      try {
        return await call();
      } finally {
        for (const what of used) end(what);
      }
    },
    release(what, release) {
      const use = uses.get(what);
      if (use === undefined) release();
      else use.releases.push(release);
    },
  };
}
