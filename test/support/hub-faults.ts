/** The faults of a bad network, as data, and a counter of how often each occurred. */

/** `on` is tested against the path of the URL; `times` (default 1) is how often the fault occurs. */
export type HubFault = { readonly on: RegExp; readonly times?: number } & (
  | { readonly kind: 'cut' | 'stall' /** of this answer's body */; readonly afterBytes: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds?: number }
  | { readonly kind: 'flip' /** in the file */; readonly atByte: number }
  | { readonly kind: 'short' /** an answer that is a little of the body and says it is all */; readonly bytes: number }
  | { readonly kind: 'drip' /** a body that comes piece by piece */; readonly bytes: number; readonly everyMs: number }
  | { readonly kind: 'expire' /** 403 for a link of the storage that was used so often */; readonly uses: number }
  | { readonly kind: 'ignore-range' /** the whole, with 200 */ }
  | { readonly kind: 'wrong-range' /** 206, from the beginning */ }
);

export type HubFaultKind = HubFault['kind'];

export type Strike = ReturnType<typeof striker>;

export function striker(faults: readonly HubFault[]) {
  const entries = faults.map((fault) => ({ fault, left: fault.times ?? 1 }));
  /** The first pending fault of a kind for the path of a URL; it counts as having occurred. */
  function strike<Kind extends HubFaultKind>(
    kind: Kind,
    path: string,
    applies: (fault: HubFault & { kind: Kind }) => boolean = () => true,
  ): (HubFault & { kind: Kind }) | null {
    for (const entry of entries) {
      const fault = entry.fault as HubFault & { kind: Kind };
      if (fault.kind !== kind || entry.left === 0 || !fault.on.test(path) || !applies(fault)) continue;
      entry.left -= 1;
      return fault;
    }
    return null;
  }
  return strike;
}
