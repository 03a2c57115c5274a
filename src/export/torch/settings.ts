/** @module The settings of an end-to-end stage for the PyTorch scripts: `train.json`. */
import { type BltConfig, bltTensors, configDigest, type Part, stageRuns, trainedParts } from '../../blt/index.js';
import { UsageError } from '../../errors.js';
import { type Recipe, rowsPerStepOf, type StageOf } from '../../recipe/index.js';
import { toolVersion } from '../../version.js';

/** Parameters with the same learning rate and weight decay. */
export interface TorchGroup {
  readonly part: Part;
  /** A factor on the learning rate. */
  readonly learning_rate_scale: number;
  readonly weight_decay: number;
  readonly tensors: readonly string[];
}

type Stage = StageOf<'end-to-end'>;

/** The keys of a stage that are passed on unchanged. */
const KEPT = [
  'steps',
  'sequence_length',
  'micro_batch_size',
  'learning_rate',
  'warmup_steps',
  'schedule',
  'min_learning_rate_ratio',
  'betas',
  'epsilon',
  'clip_norm',
  'precision',
  'gradient_checkpointing',
  'validate_every',
  'checkpoint_every',
  'keep_checkpoints',
] as const satisfies readonly (keyof Stage)[];

export interface TorchSettings extends Pick<Stage, (typeof KEPT)[number]> {
  readonly format: 1;
  readonly byteify: string;
  /** Of the model's config: the same model must come back. */
  readonly config_sha256: string;
  /** Of the text and its split. */
  readonly data_sha256: string;
  /** The order of the text. */
  readonly seed: number;
  readonly rows_per_step: number;
  /** The weight of the loss. */
  readonly cross_entropy: number;
  readonly validation_bytes: number;
  /** The trained parameters; all others are frozen. */
  readonly groups: readonly TorchGroup[];
}

const OTHER = 'Name another recipe with --recipe.';

/** The last end-to-end stage of a recipe. @throws UsageError if it has none, or one that the scripts cannot run */
function stageOf({ stages }: Recipe): { stage: Stage; index: number } {
  const index = stages.findLastIndex(({ kind }) => kind === 'end-to-end');
  const stage = stages[index];
  if (stage?.kind !== 'end-to-end') {
    throw new UsageError('The recipe has no end-to-end stage, the only kind that is trained in PyTorch.', {
      hint: OTHER,
    });
  }
  const key = (name: string) => `--set stages.${index}.${name}`;
  const refusals = [
    [stage.losses.prefix_kl > 0, "distils from the source's layers", key('losses.prefix_kl=0')],
    [stage.optimizer === 'muon', 'trains by Muon', key('optimizer=adamw')],
    [stage.ngram_dropout > 0, 'drops n-grams', key('ngram_dropout=0')],
    [stage.lora !== undefined, 'trains LoRA adapters', null],
  ] as const;
  const refused = refusals.find(([applies]) => applies);
  if (refused === undefined) return { stage, index };
  throw new UsageError(`The end-to-end stage of the recipe ${refused[1]}, which the PyTorch scripts do not.`, {
    hint: refused[2] === null ? OTHER : `Add ${refused[2]}, or name another recipe with --recipe.`,
  });
}

/** The parameters that a stage trains, in groups. Norms and embeddings have no weight decay. */
function groupsOf(config: BltConfig, stage: Stage): TorchGroup[] {
  const parts = trainedParts(stageRuns(stage));
  const scales: Readonly<Partial<Record<Part, number>>> = stage.learning_rate_scale;
  const trained = bltTensors(config).filter(({ part, unused }) => !unused && parts.includes(part));
  return parts.flatMap((part) =>
    [true, false].flatMap((decays) => {
      const own = trained.filter((spec) => spec.part === part && (spec.role === 'linear') === decays);
      if (own.length === 0) return [];
      return [
        {
          part,
          learning_rate_scale: scales[part] ?? 1,
          weight_decay: decays ? stage.weight_decay : 0,
          tensors: own.map(({ name }) => name),
        },
      ];
    }),
  );
}

/** @throws UsageError for a recipe or a model that the scripts cannot train as byteify does */
export function torchSettings(config: BltConfig, recipe: Recipe): Omit<TorchSettings, 'data_sha256'> {
  const { stage, index } = stageOf(recipe);
  if (config.patching.maxPatchLength !== null) {
    throw new UsageError('The model limits the length of patches, which transformers does not do causally.', {
      hint: 'Train it with `byteify finetune`.',
    });
  }
  const kept = Object.fromEntries(KEPT.map((key) => [key, stage[key]])) as Pick<Stage, (typeof KEPT)[number]>;
  return {
    format: 1,
    byteify: toolVersion(),
    config_sha256: configDigest(config),
    ...kept,
    seed: recipe.seed + index,
    rows_per_step: rowsPerStepOf(stage),
    cross_entropy: stage.losses.cross_entropy,
    validation_bytes: recipe.evaluate.validation_bytes,
    groups: groupsOf(config, stage),
  };
}
