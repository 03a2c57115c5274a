// Random draws that depend on a name only, so that samples and orders are the same on every machine.
import { mixed } from './mixed.mjs';

/** @param {string} name @returns a number in [0, 1) */
export function drawOf(name) {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = mixed(hash ^ name.charCodeAt(i));
  return hash / 2 ** 32;
}
