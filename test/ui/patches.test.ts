import { describe, expect, it } from 'vitest';
import { renderPatches } from '../../src/ui/index.js';

/** Patches of the given lengths, of which the first is BOS. */
function rendered(text: string, lengths: readonly number[], options: { colour?: boolean; nats?: number[] } = {}) {
  const bytes = new TextEncoder().encode(text);
  const entropyNats = options.nats ?? Array.from(bytes, () => 0);
  return renderPatches({ bytes, patchLengths: [1, ...lengths], entropyNats, colour: options.colour ?? false });
}

describe('a text with its patches', () => {
  it('has a bar between them, and keeps lines and tabs', () => {
    expect(rendered('ab c\n\td', [2, 2, 3])).toBe('ab│ c│\n\td');
  });

  it('shows a split character as bytes', () => {
    expect(rendered('é!', [1, 2])).toBe('\\xc3│\\xa9!');
  });

  it('has each patch in the colour of its first byte’s entropy', () => {
    const shown = rendered('ab', [1, 1], { colour: true, nats: [0, 9] });
    expect(shown).toBe('\u001b[38;5;250ma\u001b[0m│\u001b[38;5;160mb\u001b[0m');
  });

  it.each([
    ['\u001b[2J', '\\x1b[2J'],
    ['\u009b2J', '\\xc2\\x9b2J'],
    ['\u0085', '\\xc2\\x85'],
    ['\u0080', '\\xc2\\x80'],
    ['\u007f', '\\x7f'],
    ['\r', '\\x0d'],
    ['\u00a0', '\u00a0'],
  ])('cannot control the terminal: %j', (text, shown) => {
    expect(rendered(text, [new TextEncoder().encode(text).length])).toBe(shown);
  });
});
