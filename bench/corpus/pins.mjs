// The exact file of each package: pins.json, written by `npm run bench:corpus -- --update-pins`.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Refusal } from './refusal.mjs';

const PINS = fileURLToPath(new URL('pins.json', import.meta.url));

/** @typedef {{ version: string, file: string, sha256: string, bytes: number }} Pin */

/** @returns {Record<string, Pin>} by package */
export const readPins = () => JSON.parse(readFileSync(PINS, 'utf8'));

/** @param {Record<string, Pin>} pins */
export const writePins = (pins) =>
  writeFileSync(PINS, `${JSON.stringify(Object.fromEntries(Object.entries(pins).sort()), null, 2)}\n`);

/** @param {Record<string, Pin>} pins @param {{ name: string }} entry */
export function pinOf(pins, { name }) {
  const pin = pins[name];
  if (pin === undefined)
    throw new Refusal(`${name} has no pin in bench/corpus/pins.json; add one with --update-pins ${name}`);
  return pin;
}
