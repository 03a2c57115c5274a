/** @module Renders text with its patches for a terminal. */

export interface PatchesView {
  readonly bytes: Uint8Array;
  /** The first belongs to BOS; the lengths sum to the byte count + 1. */
  readonly patchLengths: readonly number[];
  /** Entry i is the entropy, in nats, of the prediction of byte i. */
  readonly entropyNats: ArrayLike<number>;
  readonly colour: boolean;
}

/** 256-colour codes from low to high entropy, half a nat apart. */
const SCALE = [250, 229, 222, 215, 208, 202, 196, 160] as const;
const NATS_PER_COLOUR = 0.5;
const SEPARATOR = '│';

function colourOf(nats: number): number {
  return SCALE[Math.min(SCALE.length - 1, Math.max(0, Math.floor(nats / NATS_PER_COLOUR)))]!;
}

/** Bytes as text. Invalid UTF-8, such as a character that a patch boundary splits, is shown as \xNN. */
function shown(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join('');
  }
}

/** The UTF-8 bytes of a character as \xNN. */
function escaped(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/**
 * Shows control characters other than line ends and tabs as \xNN, so that a text cannot control the terminal: U+009B introduces an escape
 * sequence as ESC [ does.
 */
export const withoutControls = (text: string): string => text.replace(CONTROL, escaped);

/** The text with a bar between patches. With colour, each patch has the colour of the entropy at its first byte, which started it. */
export function renderPatches({ bytes, patchLengths, entropyNats, colour }: PatchesView): string {
  let at = 0;
  return patchLengths
    .slice(1)
    .map((length) => {
      const text = withoutControls(shown(bytes.subarray(at, at + length)));
      const code = colourOf(entropyNats[at] ?? 0);
      at += length;
      return colour ? `\u001b[38;5;${code}m${text}\u001b[0m` : text;
    })
    .join(SEPARATOR);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to escape
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
