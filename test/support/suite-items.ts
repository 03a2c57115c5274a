/** Items and options of evaluation suites for tests. */
import { type Item, NO_BYTES, utf8 } from '../../src/evaluate/suites/item.js';
import type { SuiteOptions } from '../../src/evaluate/suites/suite.js';
import { quietReporter } from './quiet-reporter.js';

/** An item from texts. */
export function itemOf(
  given: Partial<Omit<Item, 'shared' | 'prompt' | 'continuations'>> & {
    readonly shared?: string;
    readonly prompt?: string;
    readonly continuations: readonly string[];
  },
): Item {
  const { shared = '', prompt = '', continuations, ...rest } = given;
  return {
    ...{ id: 'one', groups: ['group'], answer: 0, writing: null, ...rest },
    shared: shared === '' ? NO_BYTES : utf8(shared),
    prompt: prompt === '' ? NO_BYTES : utf8(prompt),
    continuations: continuations.map(utf8),
  };
}

/** Options that read no data, with a silent reporter. */
export function suiteOptions(given: Partial<SuiteOptions> = {}): SuiteOptions {
  return {
    ...{ dir: '', data: [], textKey: 'text', limit: 10, maxBytes: 1e6, seed: 1, settings: {} },
    onRefused: () => undefined,
    reporter: quietReporter(),
    signal: new AbortController().signal,
    ...given,
  };
}

export async function collected<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
