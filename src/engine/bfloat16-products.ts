/** @module Whether TensorFlow may be asked for products of bfloat16 matrices. */

/** What oneDNN may be limited to that has no instructions for bfloat16 (oneDNN, "CPU Dispatcher Control"). */
const WITHOUT_BFLOAT16 = ['SSE41', 'AVX', 'AVX2', 'AVX2_VNNI'];

/**
 * On a processor without AVX-512 TensorFlow leaves these products to Eigen by itself. Where the processor has it and only oneDNN is told
 * not to use it, TensorFlow asks oneDNN all the same, and what oneDNN throws ends the process.
 * @param env the process's, as it was when the engine was loaded.
 */
export function multipliesBfloat16(env: Readonly<Record<string, string | undefined>>): boolean {
  const limit = env.ONEDNN_MAX_CPU_ISA ?? env.DNNL_MAX_CPU_ISA ?? '';
  return env.TF_ENABLE_ONEDNN_OPTS === '0' || !WITHOUT_BFLOAT16.includes(limit.toUpperCase());
}
