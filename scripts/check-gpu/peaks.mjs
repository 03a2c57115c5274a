// The peak rates of GPUs for dense bfloat16 products with float32 sums, as NVIDIA states them.

/**
 * The name that nvidia-smi reports (without "NVIDIA"), and TFLOP/s. Datasheets print figures with 2:4 sparsity; the dense ones are half of
 * those.
 * - H100 (SXM 1,979 with sparsity; PCIe 1,513; NVL 1,671): NVIDIA H100 Tensor Core GPU datasheet
 * - H200 (SXM 1,979; NVL 1,671): NVIDIA H200 Tensor Core GPU datasheet
 * - A100 (312 dense, SXM and PCIe alike): NVIDIA A100 Tensor Core GPU datasheet
 * - L40S (362.05 dense): NVIDIA L40S datasheet
 * - RTX 4090 (165.2 dense, float32 sums): NVIDIA Ada GPU Architecture whitepaper, appendix A
 * @type {readonly (readonly [RegExp, number])[]}
 */
const DENSE_BF16_TFLOPS = [
  [/^H100 80GB HBM3$/, 989],
  [/^H100 PCIe$/, 756],
  [/^H100 NVL$/, 835],
  [/^H200$/, 989],
  [/^H200 NVL$/, 835],
  [/^A100-(SXM4|PCIE)-[48]0GB$/, 312],
  [/^A100 80GB PCIe$/, 312],
  [/^L40S$/, 362],
  [/^GeForce RTX 4090$/, 165],
];

/**
 * @param {string} name as nvidia-smi reports it @param {boolean} sliced whether the GPU is divided into MIG instances, which are slower
 * @returns {number | null} FLOP/s; null if unknown
 */
export function statedPeak(name, sliced) {
  const model = name.replace(/^NVIDIA /, '').trim();
  const found = sliced ? undefined : DENSE_BF16_TFLOPS.find(([pattern]) => pattern.test(model));
  return found === undefined ? null : found[1] * 1e12;
}

/**
 * The peak to which a rate is compared.
 * @param {number | null} stated FLOP/s @param {number} measured FLOP/s of a large matrix product on the GPU itself
 * @returns {{ flopsPerSecond: number, source: 'stated' | 'measured' }}
 */
export function peakOf(stated, measured) {
  return stated === null
    ? { flopsPerSecond: measured, source: 'measured' }
    : { flopsPerSecond: stated, source: 'stated' };
}
