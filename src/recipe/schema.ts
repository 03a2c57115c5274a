/** @module The recipe's schema: every key with its meaning, unit and where its default comes from. Exported as JSON Schema for editors. */
import { z } from 'zod';
import { dataSource, languageCode } from './data-source.js';

const count = z.int().positive();
const rate = z.number().positive();
const share = z.number().min(0).max(1);
/** At 1 a moving average never moves, and its bias correction divides by zero. */
const moment = z.number().min(0).lt(1);

const blt = z
  .strictObject({
    cross_attn_k: count.optional().describe('Local rows that make one patch (paper, table 10: 2 to 4).'),
    hidden_size: count
      .multipleOf(16)
      .optional()
      .describe(
        'Width of encoder and decoder; k times it is the source’s in the paper, and not the source’s after a closed form.',
      ),
    heads: count.optional().describe('Attention heads of encoder and decoder; 64 wide in the released models.'),
    encoder_layers: count
      .optional()
      .describe('Blocks of the local encoder; 1 in the released models (paper, table 9).'),
    decoder_layers: count.optional().describe('Blocks of the local decoder; 6 to 9 in the released models.'),
    intermediate_size: count.optional().describe('Width of the local feed-forward networks.'),
    hash_sizes: z.array(count.max(16)).min(1).optional().describe('n-gram sizes that are hashed; 3 to 8 in the paper.'),
    hash_functions: count.max(11).optional().describe('Hash functions an n-gram; 1 in the released models.'),
    hash_vocab: count.optional().describe('Rows of one hash table; 500,002 in the released models.'),
    window: count.optional().describe('Bytes that a byte sees in encoder and decoder; 512 in the paper.'),
    dtype: z
      .enum(['source', 'float32', 'bfloat16'])
      .default('source')
      .describe('Type of the remapped weights; source keeps the bytes of untouched tensors.'),
  })
  .describe(
    'The BLT around the source. What is left out follows from the source by a stated rule (docs/weight-mapping.md).',
  );

const patcher = z
  .strictObject({
    kind: z
      .enum(['entropy', 'aligned'])
      .default('entropy')
      .describe('entropy: a byte model as it is (the paper). aligned: one taught to be uncertain where tokens end.'),
    labels: z
      .enum(['hybrid', 'end', 'start'])
      .default('hybrid')
      .describe(
        'Aligned: where a patch closes. At a token’s end, at its successor’s first byte, or at whichever is sure first.',
      ),
    end_confidence: share
      .default(0.9)
      .describe('Aligned, hybrid: how probable a token’s end must be to close a patch before its successor begins.'),
    boundary_weight: rate.default(1).describe('Aligned: weight of the boundary term beside the next-byte loss.'),
    boundary_temperature: rate
      .default(0.25)
      .describe('Aligned, nats: how far from the threshold an entropy must be to count as decided.'),
    hidden_size: count
      .multipleOf(2)
      .optional()
      .describe('Width of the byte language model; 768 in the released models.'),
    layers: count.optional().describe('Its blocks; 14 in the released models.'),
    heads: count.optional().describe('Its attention heads.'),
    intermediate_size: count.optional().describe('Width of its feed-forward networks.'),
    window: count.optional().describe('Bytes it sees; 512 in the paper, which found little beyond.'),
    steps: count.default(1000).describe('Optimizer steps.'),
    batch_bytes: count.default(16_384).describe('Bytes a step.'),
    sequence_length: count.min(32).default(1024).describe('Positions of one row, BOS and EOS included.'),
    optimizer: z
      .enum(['adamw', 'muon'])
      .default('adamw')
      .describe('adamw: for all (the paper). muon: for the matrices of its layers, AdamW for the rest; learns faster.'),
    learning_rate: rate.default(4e-4).describe('Peak of AdamW’s schedule (the paper’s, for all sizes).'),
    muon_learning_rate: rate.default(0.02).describe('Peak of Muon’s schedule (its author’s, for all sizes).'),
    warmup_steps: z.int().nonnegative().default(100).describe('Steps of linear warm-up.'),
    min_learning_rate_ratio: share.default(0.1).describe('Where the cosine ends, of the peak.'),
    weight_decay: z.number().nonnegative().default(0.1).describe('Decoupled; norms and embeddings have none.'),
    clip_norm: rate.default(1).describe('Global norm that gradients are clipped to.'),
    target_bytes_per_patch: z
      .number()
      .min(1)
      .optional()
      .describe(
        'Mean patch size that the threshold is picked for; left out, 4.5 (the paper) or, aligned, as the labels have it.',
      ),
  })
  .describe('The entropy model that decides where patches begin.');

const data = z
  .strictObject({
    text_key: z.string().min(1).default('text').describe('The key under which a JSON record holds its text.'),
    max_document_bytes: count.min(64).default(65_536).describe('Longer documents are cut at a line’s end.'),
    validation_fraction: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.02)
      .describe('Share of the text that is held out, by content.'),
  })
  .describe('How text is read.');

const PARTS = ['encoder', 'decoder', 'global', 'hash', 'head'] as const;

/** What every stage of gradient steps has. */
const training = {
  steps: count.describe('Optimizer steps.'),
  batch_bytes: count.default(65_536).describe('Bytes a step, in as many rows as fit.'),
  sequence_length: count.min(32).default(1024).describe('Positions of one row, BOS and EOS included.'),
  micro_batch_size: count
    .default(4)
    .describe('Rows whose activations are in memory at once; more are faster where there is memory for them.'),
  learning_rate: rate.default(4e-4).describe('Peak of the schedule, for fresh parts (the paper’s, for all sizes).'),
  learning_rate_scale: z.partialRecord(z.enum(PARTS), z.number().nonnegative()).default({}).describe('Factor a part.'),
  frozen: z
    .array(z.enum(PARTS))
    .refine((frozen) => new Set(frozen).size < PARTS.length, 'a stage must leave something to train')
    .default([])
    .describe('Parts that do not move and take no optimizer memory.'),
  precision: z
    .enum(['float32', 'bfloat16'])
    .default('float32')
    .describe('Of matrix products; weights, sums and norms stay float32.'),
  gradient_checkpointing: z
    .boolean()
    .default(false)
    .describe(
      'Keeps only each layer’s input and computes the rest again: a third more work, a fraction of the memory.',
    ),
  optimizer_state: z
    .enum(['float32', 'bfloat16', '8-bit'])
    .default('float32')
    .describe('How AdamW’s moments are held: 8, 4 or about 2 bytes a weight.'),
  warmup_steps: z.int().nonnegative().default(100).describe('Steps of linear warm-up.'),
  schedule: z.enum(['cosine', 'linear', 'constant']).default('cosine').describe('What follows the warm-up.'),
  min_learning_rate_ratio: share.default(0).describe('Where the schedule ends, of the peak (paper: 0).'),
  betas: z.tuple([moment, moment]).default([0.9, 0.95]).describe('AdamW’s moments (the paper’s).'),
  epsilon: rate.default(1e-8).describe('AdamW’s guard against division by zero.'),
  weight_decay: z.number().nonnegative().default(0.1).describe('Decoupled; norms and embeddings have none.'),
  clip_norm: rate.default(1).describe('Global norm that gradients are clipped to (paper: 1.0).'),
  validate_every: count.default(100).describe('Steps between looks at the held-out text.'),
  checkpoint_every: count.default(500).describe('Steps between checkpoints.'),
  keep_checkpoints: count.default(2).describe('How many are kept.'),
} as const;

const weight = z.number().nonnegative();

/** Whether some of the parts that a stage can train are left to it. */
const leaves =
  (...parts: readonly (typeof PARTS)[number][]) =>
  ({ frozen }: { readonly frozen: readonly string[] }) =>
    parts.some((part) => !frozen.includes(part));
const NOTHING_MOVES = { message: 'a stage must leave something to train: take a part out of frozen', path: ['frozen'] };

/** Whether some loss counts; that of embeddings only where what makes them moves. */
const someLoss = ({ losses, frozen }: { losses: Readonly<Record<string, number>>; frozen: readonly string[] }) =>
  Object.entries(losses).some(
    ([name, value]) => value > 0 && (name !== 'embedding' || leaves('encoder', 'hash')({ frozen })),
  );
const NO_LOSS = { message: 'a stage must have a loss: give one a weight above 0', path: ['losses'] };

const sourceStatesCacheBytes = count
  .default(4_000_000_000)
  .describe(
    'Disk that the source’s states may take; they are kept where text is read again and this is enough, else computed anew.',
  );

const closedForm = z
  .strictObject({
    kind: z
      .literal('closed-form')
      .describe('Stage 0, no gradient steps: tables, projections and head solved from the source and some text.'),
    text_bytes: count.default(4_000_000).describe('Training text that the n-gram tables are fitted on.'),
    solve_bytes: count
      .default(1_000_000)
      .describe('Of it, how much the projections and the head are solved on: the source reads it.'),
    sequence_length: count.min(32).default(1024).describe('Positions of one row, BOS and EOS included.'),
    micro_batch_size: count.default(4).describe('Rows that are in memory at once.'),
    vocabulary_weight: weight
      .default(1)
      .describe('What one entry of the source’s vocabulary counts beside one patch of text in the n-gram tables.'),
    ridge: rate.default(1e-4).describe('Ridge of the solves, of the mean square of the features.'),
  })
  .describe('A start in closed form.');

const alignEncoder = z
  .strictObject({
    kind: z
      .literal('align-encoder')
      .describe('Stage 1a: the encoder learns to give each patch the embedding of its token. Needs no transformer.'),
    ...training,
    weight_decay: training.weight_decay.unwrap().default(0).describe('Decoupled; none, as it is mostly embeddings.'),
    learning_rate: rate
      .default(2e-4)
      .describe('Peak of the schedule (ByteDistill: 1e-3, from a random start; after a closed form less).'),
  })
  .refine(leaves('encoder', 'hash'), NOTHING_MOVES)
  .describe('A stage of training.');

const distillDecoder = z
  .strictObject({
    kind: z
      .literal('distill-decoder')
      .describe(
        'Stage 1b: the decoder learns to read the source’s own last states; the global transformer does not run backward.',
      ),
    ...training,
    learning_rate: rate.default(5e-4).describe('Peak of the schedule (Bolmo: 5e-4 to 7e-4).'),
    losses: z
      .strictObject({
        cross_entropy: weight.default(1).describe('Of the next byte.'),
        prefix_kl: weight.default(1).describe('From the source’s next-token distribution, summed to bytes.'),
        chunk: weight.default(0.5).describe('Of a whole patch’s probability, where it is several tokens (ALM).'),
        embedding: weight
          .default(1)
          .describe('As in align-encoder, so that the encoder stays there; none where it is frozen.'),
      })
      .prefault({})
      .describe('Weights of the losses.'),
    source_states_cache_bytes: sourceStatesCacheBytes,
  })
  .refine(leaves('encoder', 'hash', 'decoder', 'head'), NOTHING_MOVES)
  .refine(someLoss, NO_LOSS)
  .describe('A stage of training.');

const join = z
  .strictObject({
    kind: z
      .literal('join')
      .describe('Stage 1c: the encoder’s own patches through the frozen global transformer into the decoder.'),
    ...training,
    losses: z
      .strictObject({
        cross_entropy: weight.default(1).describe('Of the next byte.'),
        prefix_kl: weight.default(0).describe('As in distill-decoder; it costs a forward pass of the source.'),
      })
      .prefault({})
      .describe('Weights of the losses.'),
    source_states_cache_bytes: sourceStatesCacheBytes,
  })
  .refine(leaves('encoder', 'hash', 'decoder', 'head'), NOTHING_MOVES)
  .refine(someLoss, NO_LOSS)
  .describe('A stage of training.');

const endToEnd = z
  .strictObject({
    kind: z
      .literal('end-to-end')
      .describe('Next-byte loss through the whole model, the patcher frozen: the paper’s way.'),
    ...training,
    learning_rate_scale: training.learning_rate_scale
      .unwrap()
      .default({ global: 0.1 })
      .describe('Factor a part; the source’s layers move at a tenth (paper, section 6.2).'),
    lora: z
      .strictObject({
        rank: count.default(16).describe('Width of an adapter (Hu et al. 2022: 1 to 64 made little difference).'),
        alpha: rate.default(32).describe('An adapter’s product learns as if scaled by alpha / rank.'),
        targets: z
          .array(z.enum(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']))
          .min(1)
          .default(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'])
          .describe('Projections of the latent global transformer that get one.'),
      })
      .optional()
      .describe(
        'Trains low-rank adapters in place of the latent global transformer’s weights; checkpoints and export hold them merged.',
      ),
  })
  .describe('A stage of training.');

export const recipeSchema = z
  .strictObject({
    name: z.string().min(1).describe('What the recipe is called.'),
    seed: z
      .int()
      .nonnegative()
      .max(2 ** 31 - 1)
      .default(1)
      .describe('Everything random follows from it.'),
    source: z
      .strictObject({
        model: z.string().min(1).describe('Hub id (org/name[@revision]), folder or .gguf file.'),
      })
      .optional()
      .describe('The Llama that is converted; the command line may name another.'),
    blt: blt.prefault({}),
    patcher: patcher.prefault({}),
    data: data.prefault({}),
    stages: z
      .array(z.discriminatedUnion('kind', [closedForm, alignEncoder, distillDecoder, join, endToEnd]))
      .min(1)
      .describe('Training, in order.'),
    evaluate: z
      .strictObject({
        validation_bytes: count.default(65_536).describe('Held-out bytes that each look scores.'),
      })
      .prefault({})
      .describe('What is measured on the way.'),
    export: z
      .strictObject({
        dtype: z.enum(['float32', 'bfloat16']).default('bfloat16').describe('Type of the exported weights.'),
        max_shard_bytes: count.default(5_000_000_000).describe('Largest weights file.'),
        language: z
          .array(languageCode)
          .default([])
          .describe('Languages of the training text, ISO 639-1, for the model card.'),
        // Here and not beside `data`, which decides what is trained on: sources that are stated late redo the export alone. Without a
        // default, so that recipes from before it keep their digest.
        data_sources: z
          .array(dataSource)
          .min(1)
          .optional()
          .describe('Where the training text comes from and its licences, for the model card and `byteify publish`.'),
      })
      .prefault({})
      .describe('The result.'),
    hardware: z
      .strictObject({
        mode: z
          .enum(['auto', 'graph', 'xla', 'eager'])
          .default('auto')
          .describe(
            'How a step runs: TensorFlow’s graph, compiled by XLA, or operation by operation to look into it; auto measures.',
          ),
        threads: count.max(127).optional().describe('Cap on the threads of one operation; all cores when left out.'),
      })
      .prefault({})
      .describe('The machine.'),
  })
  .describe('A byteify recipe: how a Llama becomes a BLT.');

/** With every default filled in. */
export type Recipe = z.output<typeof recipeSchema>;

export type RecipeStage = Recipe['stages'][number];
export type StageKind = RecipeStage['kind'];
/** The settings of a stage of one kind. */
export type StageOf<Kind extends StageKind> = Extract<RecipeStage, { kind: Kind }>;
/** A stage of gradient steps. */
export type TrainingStage = Exclude<RecipeStage, { kind: 'closed-form' }>;

/** JSON Schema (draft 7) of a recipe as it is written. */
export function recipeJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(recipeSchema, { io: 'input', target: 'draft-7' }) as Record<string, unknown>;
}
