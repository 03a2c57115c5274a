/** @module The options of `plan --scale`, and which options go together. */
import { UsageError } from '../../errors.js';
import { PATCH_SIZES, parseFlops } from '../../plan/index.js';
import { type OptionSpec, parsers } from '../command.js';

export interface ScaleArgs {
  readonly scale?: boolean;
  readonly flopsPerByte?: number;
  readonly bytesPerPatch?: readonly number[];
  readonly svg?: string;
}

/** No model costs more at a byte; a larger number would be searched for a long time. */
const MOST_FLOPS = 1e13;

function parseFlopsPerByte(text: string): number {
  const flops = parseFlops(text);
  if (flops === null || flops < 1 || flops > MOST_FLOPS)
    throw new Error('must be FLOPs per byte such as 4.1M, 2G or 5e8');
  return flops;
}

export const scaleOptions: readonly OptionSpec[] = [
  {
    flags: '--scale',
    help: 'instead: which sizes of the global transformer and which patch sizes cost the same at inference',
  },
  {
    flags: '--flops-per-byte <amount>',
    help: 'with --scale: the budget of inference per byte, such as 4.1M or 2G (default: what the recipe’s model costs)',
    parse: parseFlopsPerByte,
  },
  {
    flags: '--bytes-per-patch <x...>',
    help: `with --scale: mean patch sizes for which the largest size is looked up (default: ${PATCH_SIZES.join(' ')})`,
    parse: parsers.patchSize,
  },
  { flags: '--svg <file>', help: 'with --scale: also draw the sizes over their patch sizes' },
];

/** Options that only count with --scale, by key. */
const OF_SCALE = { flopsPerByte: '--flops-per-byte', bytesPerPatch: '--bytes-per-patch', svg: '--svg' } as const;
/** Options about training and the machine, which --scale does not look at. */
const OF_TRAINING = {
  budget: '--budget',
  data: '--data',
  gflops: '--gflops',
  target: '--target',
  devices: '--devices',
  fullySharded: '--fully-sharded',
} as const;

/** @throws UsageError for an option that has no effect with or without --scale */
export function checkScaleOptions(args: ScaleArgs & { readonly [key in keyof typeof OF_TRAINING]?: unknown }): void {
  const given = (options: Readonly<Record<string, string>>) =>
    Object.entries(options).find(([key]) => (args as Readonly<Record<string, unknown>>)[key] !== undefined)?.[1];
  const withoutScale = args.scale === true ? undefined : given(OF_SCALE);
  if (withoutScale !== undefined)
    throw new UsageError(`${withoutScale} has no effect without --scale.`, { hint: 'Add --scale.' });
  const withScale = args.scale === true ? given(OF_TRAINING) : undefined;
  if (withScale !== undefined) {
    throw new UsageError(`--scale compares the cost of inference, on which ${withScale} has no effect.`, {
      hint: `Leave out ${withScale}, or plan the training without --scale.`,
    });
  }
}
