/** @module Decodes a stream of bytes into text that can be shown immediately. */
import { isUtf8 } from 'node:buffer';

export interface ShownText {
  /** Adds bytes and returns the text that can be shown. An incomplete character waits for the rest of its bytes. */
  push(bytes: Uint8Array): string;
  /** The text of the bytes that still wait. */
  end(): string;
}

/** The length, in bytes, of a UTF-8 character with this first byte; 0 for a byte that begins none. */
function characterLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/** Whether these bytes can begin a character, given that the first byte can. From the third byte on, any of 80 to BF is valid. */
function beginsCharacter(bytes: Uint8Array): boolean {
  const missing = characterLength(bytes[0]!) - bytes.length;
  return bytes.length === 1 || isUtf8(Uint8Array.from([...bytes, ...new Array(missing).fill(0x80)]));
}

/** @param invalid the text shown for a byte that is not part of a character */
export function createShownText(invalid: (byte: number) => string): ShownText {
  let waiting: number[] = [];
  const show = (isLast: boolean): string => {
    let text = '';
    let at = 0;
    while (at < waiting.length) {
      const length = characterLength(waiting[at]!);
      const character = Uint8Array.from(waiting.slice(at, at + Math.max(1, length)));
      if (length > 0 && character.length === length && isUtf8(character)) {
        text += Buffer.from(character).toString('utf8');
        at += length;
      } else if (!isLast && length > character.length && beginsCharacter(character)) break;
      else text += invalid(waiting[at++]!);
    }
    waiting = waiting.slice(at);
    return text;
  };
  return {
    push(bytes) {
      waiting = [...waiting, ...bytes];
      return show(false);
    },
    end: () => show(true),
  };
}

/** `\xNN`, for people. */
export const escapedByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/** U+FFFD, for programs that need valid text. */
export const replacedByte = (): string => '\uFFFD';
