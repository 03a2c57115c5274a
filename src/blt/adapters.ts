/** @module The tensors of low-rank adapters (LoRA), with the names that PEFT uses. */
import type { TensorSpec } from './tensors.js';

export interface Lora {
  readonly rank: number;
  /** The adapter's product is scaled by alpha / rank. */
  readonly alpha: number;
  /** Projections of the latent global transformer to adapt: q_proj, gate_proj, ... */
  readonly targets: readonly string[];
}

/** A projection and its adapter: a [rank, in], b [out, rank]. */
export interface Adapter {
  readonly base: TensorSpec;
  readonly a: TensorSpec;
  readonly b: TensorSpec;
}

/** The adapters of a model's latent global transformer, in the order of its tensors. */
export function adaptersOf(specs: readonly TensorSpec[], { rank, targets }: Lora): Adapter[] {
  return specs
    .filter(
      ({ part, role, name }) =>
        part === 'global' && role === 'linear' && targets.some((t) => name.endsWith(`.${t}.weight`)),
    )
    .map((base) => {
      const [out, width] = base.shape as [number, number];
      const stem = base.name.slice(0, -'.weight'.length);
      const spec = (which: string, shape: number[]): TensorSpec => ({
        ...base,
        name: `${stem}.${which}.weight`,
        shape,
      });
      return { base, a: spec('lora_A', [rank, width]), b: spec('lora_B', [out, rank]) };
    });
}
