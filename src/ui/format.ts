/** @module Formats numbers for people: bytes, durations, counts. JSON documents have the raw number with its unit in the key. */

const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;
const COUNT_UNITS = ['', ' K', ' M', ' B', ' T'] as const;
const FLOP_UNITS = ['FLOP', 'KFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP', 'EFLOP', 'ZFLOP', 'YFLOP'] as const;

/**
 * Bytes in decimal units, as disks and the hub print them.
 * @example humanBytes(4_630_000_000) // '4.63 GB'
 */
export function humanBytes(bytes: number): string {
  const { scaled, unit } = scale(bytes, BYTE_UNITS);
  return `${scaled} ${unit}`;
}

/**
 * A count with three significant digits.
 * @example humanCount(1_277_952_000) // '1.28 B'
 */
export function humanCount(count: number): string {
  const { scaled, unit } = scale(count, COUNT_UNITS);
  return `${scaled}${unit}`;
}

/**
 * Floating-point operations (not a rate).
 * @example humanFlops(9.22e11) // '922 GFLOP'
 */
export function humanFlops(flops: number): string {
  const { scaled, unit } = scale(flops, FLOP_UNITS);
  return `${scaled} ${unit}`;
}

/**
 * Seconds in the two largest units that apply.
 * @example humanDuration(3723) // '1 h 2 min'
 */
export function humanDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(seconds / 60);
  if (whole < 3600) return pair(Math.floor(whole / 60), 'min', whole % 60, 's');
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(seconds / 3600);
  if (hours < 24 * 365) return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
  return pair(Math.floor(hours / (24 * 365)), 'years', Math.floor((hours % (24 * 365)) / 24), 'd');
}

/** An English noun for a count: its singular for 1, else with an s. */
export const plural = (count: number, noun: string): string => (count === 1 ? noun : `${noun}s`);

/**
 * A count and its noun.
 * @example counted(1, 'file') // '1 file'
 */
export const counted = (count: number, noun: string): string => `${count} ${plural(count, noun)}`;

/** At most three significant digits and the largest unit that leaves a number of at least one. */
function scale<Unit extends string>(value: number, units: readonly Unit[]): { scaled: string; unit: Unit } {
  let rest = value;
  let index = 0;
  // 999.5 and above would print as "1000"; it belongs to the next unit.
  while (Math.abs(rest) >= 999.5 && index < units.length - 1) {
    rest /= 1000;
    index++;
  }
  const digits =
    index === 0 && Number.isInteger(rest) ? 0 : Math.abs(rest) >= 99.95 ? 0 : Math.abs(rest) >= 9.995 ? 1 : 2;
  return { scaled: rest.toFixed(digits), unit: units[index] as Unit };
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
