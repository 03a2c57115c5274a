/** A generator that writes given texts without a model: byte by byte on command, or at once. */
import type { GenerationRequest, Generator, WrittenBytes } from '../../src/generate/index.js';

export interface FakeGenerator extends Generator {
  /** The requests, in order. */
  readonly requests: readonly GenerationRequest[];
  /** Texts whose signal ended them. */
  aborted(): number;
  /** With `paced`: lets every text that runs write one byte. */
  step(): Promise<void>;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** @param say the text of a sample, which ends by itself */
export function fakeGenerator(
  say: (request: GenerationRequest, sample: number) => string | Uint8Array,
  { slots = 2, paced = false, fails = null as Error | null } = {},
): FakeGenerator {
  const requests: GenerationRequest[] = [];
  let [taken, waiting, aborted] = [0, 0, 0];
  let pending: (() => void)[] = [];
  const paces = (signal: AbortSignal | undefined) =>
    new Promise<void>((resolve) => {
      pending.push(resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });

  async function* write(text: Uint8Array, maxBytes: number, signal?: AbortSignal): AsyncGenerator<WrittenBytes> {
    waiting++;
    while (taken >= slots && signal?.aborted !== true) await turn();
    waiting--;
    taken++;
    try {
      const length = Math.min(text.length, maxBytes);
      if (length === 0)
        yield {
          ...{ bytes: new Uint8Array(), entropyNats: new Float32Array(), beginsPatch: [], logprobs: [] },
          ...{ promptLogprobs: null, finish: 'length' },
        };
      for (let i = 0; i < length; i++) {
        await (paced ? paces(signal) : turn());
        if (fails !== null) throw fails;
        signal?.throwIfAborted();
        const isLast = i === length - 1;
        yield {
          bytes: text.slice(i, i + 1),
          entropyNats: Float32Array.of(i / 3),
          beginsPatch: [i % 4 === 0],
          logprobs: [],
          promptLogprobs: null,
          finish: isLast ? (length === maxBytes ? 'length' : 'eos') : null,
        };
      }
    } finally {
      if (signal?.aborted === true) aborted++;
      taken--;
    }
  }

  function generate(
    request: GenerationRequest,
    { samples = 1, signal }: { samples?: number; signal?: AbortSignal } = {},
  ) {
    requests.push(request);
    return Array.from({ length: samples }, (_, i) => {
      const text = say(request, i);
      return write(typeof text === 'string' ? new TextEncoder().encode(text) : text, request.maxBytes, signal);
    });
  }

  return {
    requests,
    aborted: () => aborted,
    async step() {
      const now = pending;
      pending = [];
      for (const go of now) go();
      await turn();
    },
    generate,
    generateAll: (all, options) => all.flatMap((request) => generate(request, options)),
    state: () => ({
      slots,
      running: taken,
      waiting,
      promptBytes: 7,
      writtenBytes: 11,
      draftedBytes: 0,
      acceptedBytes: 0,
    }),
    warmUp: async () => undefined,
    close: async () => undefined,
  };
}
