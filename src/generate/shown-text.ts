/** @module Bytes as they come, as text that can be shown at once. */
import { isUtf8 } from 'node:buffer';

export interface ShownText {
  /** What can be shown of these bytes and those that waited. A character that is cut waits for the rest of its bytes. */
  push(bytes: Uint8Array): string;
  /** What still waits. */
  end(): string;
}

/** Bytes of the character that begins with a byte; 0 for a byte that begins none. */
function characterLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/** What can begin a character of three or four bytes: completed by bytes in the middle of what may follow, is it one? */
function canGoOn(begun: Uint8Array): boolean {
  const missing = characterLength(begun[0]!) - begun.length;
  // The second byte alone has narrower limits than 80 to BF, so an end that fits any second byte tells.
  const ends = begun.length === 1 ? [0x80, 0x90, 0xa0, 0xbf] : [0x80];
  return ends.some((first) => isUtf8(Uint8Array.from([...begun, first, ...new Array(missing - 1).fill(0x80)])));
}

/** @param invalid what is shown for a byte that is no part of a character */
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
      } else if (!isLast && length > character.length && canGoOn(character)) break;
      else text += invalid(waiting[at++]!);
    }
    waiting = waiting.slice(at);
    return text;
  };
  return {
    push(bytes) {
      waiting.push(...bytes);
      return show(false);
    },
    end: () => show(true),
  };
}

/** `\xNN`, which a person can tell from text. */
export const escapedByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/** U+FFFD, for where text must be text. */
export const replacedByte = (): string => '\uFFFD';
