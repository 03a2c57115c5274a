import { expect, it } from 'vitest';
import { multipliesBfloat16 } from '../../src/engine/bfloat16-products.js';

it('oneDNN multiplies bfloat16 unless it is limited to instruction sets without it', () => {
  expect(multipliesBfloat16({})).toBe(true);
  for (const isa of ['AVX2', 'avx2', 'SSE41', 'AVX', 'AVX2_VNNI'])
    expect(multipliesBfloat16({ ONEDNN_MAX_CPU_ISA: isa }), isa).toBe(false);
  for (const isa of ['AVX512_CORE', 'AVX2_VNNI_2', 'ALL', 'DEFAULT'])
    expect(multipliesBfloat16({ ONEDNN_MAX_CPU_ISA: isa }), isa).toBe(true);
  expect(multipliesBfloat16({ DNNL_MAX_CPU_ISA: 'AVX2' }), 'its older name').toBe(false);
});

it('Eigen always multiplies bfloat16', () => {
  expect(multipliesBfloat16({ ONEDNN_MAX_CPU_ISA: 'AVX2', TF_ENABLE_ONEDNN_OPTS: '0' })).toBe(true);
});
