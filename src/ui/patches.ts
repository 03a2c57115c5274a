/** @module Text with its patches, for a terminal. */

export interface PatchesView {
  readonly bytes: Uint8Array;
  /** The first is BOS's own; they sum to the byte count + 1. */
  readonly patchLengths: readonly number[];
  /** Nats, entry i of the prediction of byte i. */
  readonly entropyNats: ArrayLike<number>;
  readonly colour: boolean;
}

/** 256-colour codes from calm to surprised; a step is half a nat. */
const SCALE = [250, 229, 222, 215, 208, 202, 196, 160] as const;
const NATS_A_STEP = 0.5;
const SEPARATOR = '│';

function colourOf(nats: number): number {
  return SCALE[Math.min(SCALE.length - 1, Math.max(0, Math.floor(nats / NATS_A_STEP)))]!;
}

/** Bytes as text; what is not valid UTF-8 (a character cut by a patch, say) is shown as \xNN. */
function shown(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join('');
  }
}

/** A character by its bytes of UTF-8. */
function escaped(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/**
 * Control characters other than line ends and tabs, shown by their bytes as \xNN, so that a text cannot steer the terminal: U+009B begins
 * a command as ESC [ does.
 */
export const withoutControls = (text: string): string => text.replace(CONTROL, escaped);

/** The text with a bar between patches; in colour, each patch in the colour of the entropy at its first byte, which is what began it. */
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

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be shown
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
