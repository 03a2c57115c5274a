// The faults as data: what the loopback hub does wrong, or what happens to the client. `on` is a pattern for the request's path.

const WEIGHTS = '^/cdn/.*model\\.safetensors';
const MEGABYTE = 1e6;
/** More often than any client retries. */
const ALWAYS = 1_000_000;

/** The size of the weights in the repository; some clients write 10 MB at a time. */
export const WEIGHTS_BYTES = 40 * MEGABYTE;

const cut = { kind: 'cut', on: WEIGHTS, afterBytes: 15 * MEGABYTE };

/** @type {{ name: string, faults?: object[], gated?: boolean, renamed?: boolean, act?: 'kill' | 'full-disk' }[]} */
export const ROWS = [
  { name: 'none' },
  { name: 'the connection is cut once', faults: [cut] },
  { name: 'the connection is cut twice', faults: [{ ...cut, times: 2 }] },
  { name: 'the connection is always cut at once', faults: [{ ...cut, afterBytes: 0, times: ALWAYS }] },
  { name: 'cut, then the range is ignored', faults: [cut, { kind: 'ignore-range', on: WEIGHTS, times: ALWAYS }] },
  { name: 'cut, then a wrong range is sent', faults: [cut, { kind: 'wrong-range', on: WEIGHTS }] },
  { name: 'cut, and the link has expired', faults: [cut, { kind: 'expire', on: WEIGHTS, uses: 1, times: ALWAYS }] },
  { name: 'a part is sent as the whole file', faults: [{ kind: 'short', on: WEIGHTS, bytes: 15 * MEGABYTE }] },
  { name: 'a bit of the weights is flipped once', faults: [{ kind: 'flip', on: WEIGHTS, atByte: 25 * MEGABYTE }] },
  {
    name: 'a bit of the weights is always flipped',
    faults: [{ kind: 'flip', on: WEIGHTS, atByte: 25 * MEGABYTE, times: ALWAYS }],
  },
  { name: 'a bit of the tokenizer is flipped once', faults: [{ kind: 'flip', on: '/tokenizer\\.json', atByte: 10 }] },
  { name: 'the weights are answered by 503 once', faults: [{ kind: 'status', on: WEIGHTS, status: 503 }] },
  {
    name: 'the weights are answered by 429, Retry-After 1 s, twice',
    faults: [{ kind: 'status', on: WEIGHTS, status: 429, retryAfterSeconds: 1, times: 2 }],
  },
  { name: 'the listing is answered by 503 once', faults: [{ kind: 'status', on: '^/api/.*/tree/', status: 503 }] },
  { name: 'the listing is cut once', faults: [{ kind: 'cut', on: '^/api/.*/tree/', afterBytes: 100 }] },
  { name: 'the connection goes silent once', faults: [{ ...cut, kind: 'stall' }] },
  {
    name: 'the connection slows to 100 bytes per second',
    faults: [{ kind: 'drip', on: WEIGHTS, bytes: 100, everyMs: 1000 }],
  },
  { name: 'the repository was renamed', renamed: true },
  { name: 'the repository is gated, no token', gated: true },
  { name: 'the disk fills up', act: 'full-disk' },
  {
    name: 'kill -9 halfway, then run again',
    faults: [{ kind: 'drip', on: WEIGHTS, bytes: 200_000, everyMs: 10, times: ALWAYS }],
    act: 'kill',
  },
];
