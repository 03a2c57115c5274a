/** @module A number of floating-point operations as typed: `4.1M`, `500T`, `5e14`. */

const UNITS = { K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18, Z: 1e21 } as const;
const FLOPS = new RegExp(`^(\\d+(?:\\.\\d+)?(?:e\\+?\\d+)?)([${Object.keys(UNITS).join('')}]?)$`);

/**
 * Reads FLOPs: a number, perhaps with a decimal unit in capitals; rounded to a whole one.
 * @returns null for anything else, and for what is too large for a number
 * @example parseFlops('4.1M') // 4_100_000
 */
export function parseFlops(text: string): number | null {
  const match = FLOPS.exec(text);
  if (match === null) return null;
  const flops = Math.round(Number(match[1]) * (UNITS[match[2] as keyof typeof UNITS] ?? 1));
  return Number.isFinite(flops) ? flops : null;
}
