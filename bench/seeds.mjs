// Figures over several seeds.

/** Student's t for 95 % of both sides, by degrees of freedom from 1. */
const T_95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/**
 * The mean over seeds, and half the width of its 95 % interval; null for one seed.
 * @param {readonly number[]} values
 */
export function seedInterval(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length > T_95.length + 1) throw new RangeError(`at most ${T_95.length + 1} seeds`);
  if (values.length < 2) return { mean, half: null };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, half: T_95[values.length - 2] * Math.sqrt(variance / values.length) };
}

/** @param {readonly number[]} values @param {number} [decimals] */
export function meanWithInterval(values, decimals = 3) {
  const { mean, half } = seedInterval(values);
  return half === null ? mean.toFixed(decimals) : `${mean.toFixed(decimals)} ± ${half.toFixed(decimals)}`;
}
