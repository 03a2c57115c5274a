/** @module Decides whether TensorFlow can multiply bfloat16 matrices on this machine. */

/** Instruction sets without bfloat16 to which oneDNN can be limited (oneDNN, "CPU Dispatcher Control"). */
const WITHOUT_BFLOAT16 = ['SSE41', 'AVX', 'AVX2', 'AVX2_VNNI'];

/**
 * False if oneDNN is limited to an instruction set without bfloat16 on a processor that has AVX-512: TensorFlow would still call oneDNN, whose
 * exception ends the process. On a processor without AVX-512, TensorFlow uses Eigen instead.
 * @param env the environment of the process when the engine was loaded
 */
export function multipliesBfloat16(env: Readonly<Record<string, string | undefined>>): boolean {
  const limit = env.ONEDNN_MAX_CPU_ISA ?? env.DNNL_MAX_CPU_ISA ?? '';
  return env.TF_ENABLE_ONEDNN_OPTS === '0' || !WITHOUT_BFLOAT16.includes(limit.toUpperCase());
}
