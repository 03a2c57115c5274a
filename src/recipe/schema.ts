/** @module The recipe schema: every key with its meaning, unit and the source of its default. It is exported as JSON Schema for editors. */
import { z } from 'zod';
import { dataSource, languageCode } from './data-source.js';

const count = z.int().positive();
const rate = z.number().positive();
const share = z.number().min(0).max(1);
/** Below 1: at 1, a moving average would never change, and its bias correction would divide by zero. */
const moment = z.number().min(0).lt(1);

/** The optimizer of the patcher and of every training stage. */
const optimizer = z
  .enum(['adamw', 'muon'])
  .default('adamw')
  .describe(
    '`adamw`: for all parameters (the paper). `muon`: Muon for the matrices between hidden states and AdamW for embeddings, heads and norms.',
  );
const muonLearningRate = rate
  .default(0.02)
  .describe('Peak of Muon’s schedule (its author’s value for all sizes, from random weights).');

const blt = z
  .strictObject({
    cross_attn_k: count.optional().describe('Local states per patch (paper, table 10: 2 to 4).'),
    hidden_size: count
      .multipleOf(16)
      .optional()
      .describe(
        'Width of encoder and decoder. In the paper, cross_attn_k times this is the source’s width; after a closed form it need not be.',
      ),
    heads: count.optional().describe('Attention heads of encoder and decoder; each 64 wide in the released models.'),
    encoder_layers: count
      .optional()
      .describe('Blocks of the local encoder; 1 in the released models (paper, table 9).'),
    decoder_layers: count.optional().describe('Blocks of the local decoder; 6 to 9 in the released models.'),
    intermediate_size: count.optional().describe('Width of the local feed-forward networks.'),
    hash_sizes: z.array(count.max(16)).min(1).optional().describe('Sizes of the hashed n-grams; 3 to 8 in the paper.'),
    hash_functions: count.max(11).optional().describe('Hash functions per n-gram size; 1 in the released models.'),
    hash_vocab: count.optional().describe('Rows per hash table; 500,002 in the released models.'),
    window: count.optional().describe('Attention window of encoder and decoder, in bytes; 512 in the paper.'),
    dtype: z
      .enum(['source', 'float32', 'bfloat16'])
      .default('source')
      .describe('Type of the remapped weights; `source` keeps the bytes of unchanged tensors.'),
  })
  .describe('Sizes of the BLT. Keys that are left out are derived from the source (docs/weight-mapping.md).');

const patcher = z
  .strictObject({
    kind: z
      .enum(['entropy', 'aligned'])
      .default('entropy')
      .describe(
        '`entropy`: a plain byte language model, as in the paper. `aligned`: a byte model trained to be uncertain where tokens end.',
      ),
    labels: z
      .enum(['hybrid', 'end', 'start'])
      .default('hybrid')
      .describe(
        'For `aligned`: where a patch closes. `end`: at a token’s end. `start`: after the first character of the next token. `hybrid`: at whichever is certain first.',
      ),
    end_confidence: share
      .default(0.9)
      .describe(
        'For `aligned` with `hybrid` labels: the probability of a token’s end that closes a patch before the next token begins.',
      ),
    boundary_weight: rate
      .default(1)
      .describe('For `aligned`: weight of the boundary loss relative to the next-byte loss.'),
    boundary_temperature: rate
      .default(0.25)
      .describe('For `aligned`, in nats: distance from the threshold at which an entropy counts as decided.'),
    character_weight: rate
      .optional()
      .describe(
        'For `entropy`: weight of a loss that keeps the entropy low inside of UTF-8 characters, so that patches end between them; for text in scripts with several bytes per character. If left out: none.',
      ),
    calibration_domain: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The domain of the data on whose held-out text the threshold is chosen, if the patch size matters in one language or kind of text more than in the others. If left out: all.',
      ),
    hidden_size: count
      .multipleOf(2)
      .optional()
      .describe('Width of the byte language model; 768 in the released models.'),
    layers: count.optional().describe('Its transformer blocks; 14 in the released models.'),
    heads: count.optional().describe('Its attention heads.'),
    intermediate_size: count.optional().describe('Width of its feed-forward networks.'),
    window: count
      .optional()
      .describe('Its attention window in bytes; 512 in the paper, which gained little from more.'),
    steps: count.default(1000).describe('Optimizer steps.'),
    batch_bytes: count.default(16_384).describe('Bytes per step.'),
    sequence_length: count.min(32).default(1024).describe('Positions of one row, BOS and EOS included.'),
    optimizer,
    learning_rate: rate.default(4e-4).describe('Peak of AdamW’s schedule (the paper’s value for all sizes).'),
    muon_learning_rate: muonLearningRate,
    warmup_steps: z.int().nonnegative().default(100).describe('Steps of linear warm-up.'),
    min_learning_rate_ratio: share
      .default(0.1)
      .describe('Final learning rate of the cosine schedule, as a fraction of the peak.'),
    weight_decay: z
      .number()
      .nonnegative()
      .default(0.1)
      .describe('Decoupled weight decay; norms and embeddings have none.'),
    clip_norm: rate.default(1).describe('Global norm to which gradients are clipped.'),
    target_bytes_per_patch: z
      .number()
      .min(1)
      .optional()
      .describe(
        'Mean patch size for which the threshold is chosen. If left out: 4.5 (the paper), or for `aligned` the mean size of the labelled patches.',
      ),
  })
  .describe('The entropy model, which decides where patches begin.');

const domain = z
  .strictObject({
    kind: z
      .enum(['text', 'bytes'])
      .default('text')
      .describe(
        '`text`: valid UTF-8, from text files and JSON. `bytes`: images, sounds, any files as they are, each one document; stages that learn from the source do not read them.',
      ),
    max_document_bytes: count.min(64).optional().describe('Longest document; if left out, `data.max_document_bytes`.'),
    longer_documents: z
      .enum(['cut', 'leave_out'])
      .default('cut')
      .describe('What becomes of longer documents: several chunks, or nothing.'),
    weight: rate
      .optional()
      .describe(
        'Its share of the bytes that training reads, relative to the other domains’ weights. If no domain has one, each epoch reads everything once.',
      ),
  })
  .describe('One part of the data.');

function haveWeightsTogether(domains: Readonly<Record<string, z.output<typeof domain>>>): boolean {
  const weighted = Object.values(domains).filter(({ weight }) => weight !== undefined);
  return weighted.length === 0 || weighted.length === Object.keys(domains).length;
}

/** Names of domains are part of metrics’ names and of the command line. */
const domainName = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'must be lowercase letters, digits and underscores');

const data = z
  .strictObject({
    text_key: z.string().min(1).default('text').describe('Key of a JSON record’s text.'),
    max_document_bytes: count
      .min(64)
      .default(65_536)
      .describe('Longest document, in bytes; longer ones are split at the end of a line.'),
    validation_fraction: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.02)
      .describe('Fraction of the text that is held out, chosen by content.'),
    seed: z
      .int()
      .nonnegative()
      .optional()
      .describe('Seed of that choice; if left out, the recipe’s, so that other seeds hold out other text.'),
    domains: z
      .record(domainName, domain)
      .refine(haveWeightsTogether, 'must have a weight each, or none')
      .optional()
      .describe('Named parts of the data, given as `--data NAME=PATH`. A path without a name belongs to `text`.'),
  })
  .describe('How the training text is read.');

const PARTS = ['encoder', 'decoder', 'global', 'hash', 'head'] as const;

/** Keys of every stage that takes gradient steps. */
const training = {
  steps: count.describe('Optimizer steps.'),
  batch_bytes: count.default(65_536).describe('Bytes per step, in as many rows as fit.'),
  sequence_length: count.min(32).default(1024).describe('Positions of one row, BOS and EOS included.'),
  micro_batch_size: count
    .default(4)
    .describe('Rows whose activations are in memory at the same time; more are faster if the memory suffices.'),
  optimizer,
  learning_rate: rate.default(4e-4).describe('Peak of the schedule, for new parts (the paper’s value for all sizes).'),
  muon_learning_rate: muonLearningRate,
  learning_rate_scale: z
    .partialRecord(z.enum(PARTS), z.number().nonnegative())
    .default({})
    .describe('Factor on the learning rate per part, AdamW’s and Muon’s.'),
  frozen: z
    .array(z.enum(PARTS))
    .refine((frozen) => new Set(frozen).size < PARTS.length, 'a stage must train something')
    .default([])
    .describe('Parts that are not trained and need no optimizer memory.'),
  precision: z
    .enum(['float32', 'bfloat16'])
    .default('float32')
    .describe('Precision of matrix products; weights, sums and norms stay float32.'),
  gradient_checkpointing: z
    .boolean()
    .default(false)
    .describe('Keeps only each layer’s input and recomputes the rest: a third more work for a fraction of the memory.'),
  optimizer_state: z
    .enum(['float32', 'bfloat16', '8-bit'])
    .default('float32')
    .describe('Storage of AdamW’s moments: 8, 4 or about 2 bytes per weight. Muon has one moment: half of that.'),
  warmup_steps: z.int().nonnegative().default(100).describe('Steps of linear warm-up.'),
  schedule: z.enum(['cosine', 'linear', 'constant']).default('cosine').describe('Schedule after the warm-up.'),
  min_learning_rate_ratio: share.default(0).describe('Final learning rate, as a fraction of the peak (paper: 0).'),
  betas: z
    .tuple([moment, moment])
    .default([0.9, 0.95])
    .describe('Decay rates of AdamW’s moments (the paper’s values).'),
  epsilon: rate.default(1e-8).describe('AdamW’s epsilon, which prevents a division by zero.'),
  weight_decay: z
    .number()
    .nonnegative()
    .default(0.1)
    .describe('Decoupled weight decay; norms and embeddings have none.'),
  clip_norm: rate.default(1).describe('Global norm to which gradients are clipped (paper: 1.0).'),
  ngram_dropout: share
    .default(0)
    .describe(
      'Share of positions at which n-grams above a random size look up random rows of their tables, as unseen n-grams do, so that a model does not rely on those of text that it reads several times.',
    ),
  validate_every: count.default(100).describe('Steps between evaluations on the held-out text.'),
  checkpoint_every: count.default(500).describe('Steps between checkpoints.'),
  keep_checkpoints: count.default(2).describe('Number of recent checkpoints to keep.'),
} as const;

const weight = z.number().nonnegative();

/** Whether at least one of the parts is not frozen. */
const leaves =
  (...parts: readonly (typeof PARTS)[number][]) =>
  ({ frozen }: { readonly frozen: readonly string[] }) =>
    parts.some((part) => !frozen.includes(part));
const NOTHING_TRAINED = { message: 'a stage must train something: remove a part from frozen', path: ['frozen'] };

/** Whether a loss has a weight above 0. The embedding loss only counts if the encoder or the hash tables are trained. */
const someLoss = ({ losses, frozen }: { losses: Readonly<Record<string, number>>; frozen: readonly string[] }) =>
  Object.entries(losses).some(
    ([name, value]) => value > 0 && (name !== 'embedding' || leaves('encoder', 'hash')({ frozen })),
  );
const NO_LOSS = { message: 'a stage needs a loss: give one a weight above 0', path: ['losses'] };

const sourceStatesCacheBytes = count
  .default(4_000_000_000)
  .describe(
    'Disk space for the source’s states, in bytes. They are cached if text is read more than once and they fit; otherwise they are recomputed.',
  );

const closedForm = z
  .strictObject({
    kind: z
      .literal('closed-form')
      .describe(
        'Stage 0: fits tables, the projection, the decoder’s first feed-forward units and the head, with attention idle, to the source and some text.',
      ),
    text_bytes: count
      .default(4_000_000)
      .describe('Bytes of training text, cut by the patcher, to which the encoder is fitted.'),
    solve_bytes: count
      .default(1_000_000)
      .describe(
        'Bytes of other text, at most a quarter of all, to which the projection and the decoder are fitted; the source reads them.',
      ),
    ngram_bytes: z
      .int()
      .min(0)
      .default(6_000_000)
      .describe(
        'Bytes of text from which the decoder’s n-gram tables learn to predict the next byte, at hardly any cost. They may include those of `text_bytes`. 0 leaves the tables out.',
      ),
    encoder: z
      .enum(['back-off', 'tables', 'feed-forward'])
      .default('back-off')
      .describe(
        'How the encoder learns the embeddings of tokens: `back-off`: tables as means. `tables`: by stochastic steps. `feed-forward`: feed-forward units as well, which come closer on average but serve the source worse (docs/distillation.md).',
      ),
    decoder: z
      .enum(['linear', 'feed-forward', 'prefix-gates'])
      .default('prefix-gates')
      .describe(
        'What the decoder’s fit contains: a linear read of the source’s state, feed-forward units as well, or units whose gates open by the token’s prefix.',
      ),
    sequence_length: count.min(32).default(1024).describe('Positions of one row, BOS and EOS included.'),
    micro_batch_size: count.default(4).describe('Rows in memory at the same time.'),
    vocabulary_weight: weight
      .default(1)
      .describe('Weight of one entry of the source’s vocabulary relative to one patch of text in the n-gram tables.'),
    ridge: rate
      .default(1e-4)
      .describe('Ridge regularisation of the solves, relative to the mean square of the features.'),
  })
  .describe('Initialisation, without training the transformer.');

const alignEncoder = z
  .strictObject({
    kind: z
      .literal('align-encoder')
      .describe('Stage 1a: the encoder learns to map each patch to the embedding of its token. No transformer runs.'),
    ...training,
    weight_decay: training.weight_decay
      .unwrap()
      .default(0)
      .describe('Decoupled weight decay; 0, since most of the trained weights are embeddings.'),
    learning_rate: rate
      .default(2e-4)
      .describe('Peak of the schedule (ByteDistill: 1e-3 from random weights; lower after a closed form).'),
  })
  .refine(leaves('encoder', 'hash'), NOTHING_TRAINED)
  .describe('A training stage.');

const distillDecoder = z
  .strictObject({
    kind: z
      .literal('distill-decoder')
      .describe(
        'Stage 1b: the decoder learns to read the source’s own final hidden states; the global transformer has no backward pass.',
      ),
    ...training,
    learning_rate: rate.default(5e-4).describe('Peak of the schedule (Bolmo: 5e-4 to 7e-4).'),
    losses: z
      .strictObject({
        cross_entropy: weight.default(1).describe('Cross-entropy of the next byte.'),
        prefix_kl: weight
          .default(1)
          .describe('KL divergence from the source’s next-token distribution, summed over tokens to bytes.'),
        chunk: weight
          .default(0.5)
          .describe('Loss on the probability of a whole patch, if it spans several tokens (ALM).'),
        embedding: weight
          .default(1)
          .describe(
            'Embedding loss as in align-encoder, so that the encoder stays aligned; unused if the encoder is frozen.',
          ),
      })
      .prefault({})
      .describe('Weights of the losses.'),
    source_states_cache_bytes: sourceStatesCacheBytes,
  })
  .refine(leaves('encoder', 'hash', 'decoder', 'head'), NOTHING_TRAINED)
  .refine(someLoss, NO_LOSS)
  .describe('A training stage.');

/** The losses of a stage that runs the whole model. @param cost what `prefix_kl` takes. */
const forwardLosses = (cost: string) =>
  z
    .strictObject({
      cross_entropy: weight.default(1).describe('Cross-entropy of the next byte.'),
      prefix_kl: weight.default(0).describe(`As in distill-decoder; ${cost}.`),
    })
    .prefault({})
    .describe('Weights of the losses.');

const join = z
  .strictObject({
    kind: z
      .literal('join')
      .describe(
        'Stage 1c: trains encoder and decoder together, through the frozen global transformer, on the encoder’s own patches.',
      ),
    ...training,
    losses: forwardLosses('needs a forward pass of the source'),
    source_states_cache_bytes: sourceStatesCacheBytes,
  })
  .refine(leaves('encoder', 'hash', 'decoder', 'head'), NOTHING_TRAINED)
  .refine(someLoss, NO_LOSS)
  .describe('A training stage.');

const endToEnd = z
  .strictObject({
    kind: z
      .literal('end-to-end')
      .describe(
        'Trains the whole model with a frozen patcher, on the next byte as in the paper and, if wanted, on the source’s distribution.',
      ),
    ...training,
    learning_rate_scale: training.learning_rate_scale
      .unwrap()
      .default({ global: 0.1 })
      .describe('Factor on the learning rate per part; the source’s layers learn at a tenth (paper, section 6.2).'),
    lora: z
      .strictObject({
        rank: count.default(16).describe('Rank of an adapter (Hu et al. 2022: 1 to 64 made little difference).'),
        alpha: rate.default(32).describe('An adapter learns as if its product were scaled by alpha / rank.'),
        targets: z
          .array(z.enum(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']))
          .min(1)
          .default(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'])
          .describe('Projections of the latent global transformer that get an adapter.'),
      })
      .optional()
      .describe(
        'Trains low-rank adapters, always by AdamW, instead of the latent global transformer’s weights; checkpoints and exports contain them merged.',
      ),
    losses: forwardLosses(
      'needs a forward pass of the source, whose layers are loaded once more unless the latent global transformer keeps them',
    ),
    source_states_cache_bytes: sourceStatesCacheBytes,
  })
  .refine(someLoss, NO_LOSS)
  .describe('A training stage.');

export const recipeSchema = z
  .strictObject({
    name: z.string().min(1).describe('Name of the recipe.'),
    seed: z
      .int()
      .nonnegative()
      .max(2 ** 31 - 1)
      .default(1)
      .describe('Seed of all random numbers.'),
    source: z
      .strictObject({
        model: z.string().min(1).describe('Hub id (org/name[@revision]), folder, or .gguf file.'),
      })
      .optional()
      .describe('The Llama to convert; the command line can name another.'),
    blt: blt.prefault({}),
    patcher: patcher.prefault({}),
    data: data.prefault({}),
    stages: z
      .array(z.discriminatedUnion('kind', [closedForm, alignEncoder, distillDecoder, join, endToEnd]))
      .min(1)
      .describe('Training stages, in order.'),
    token_baseline: z
      .strictObject({
        learning_rate: rate.describe('Peak of its schedule, which is otherwise that of the last stage.'),
      })
      .optional()
      .describe(
        'The source itself, trained with its tokens on the same text for as many operations, to compare with (`byteify adapt --token-baseline`). If left out, it learns at 1e-4.',
      ),
    evaluate: z
      .strictObject({
        validation_bytes: count.default(65_536).describe('Held-out bytes that each evaluation scores.'),
      })
      .prefault({})
      .describe('Evaluations during training.'),
    export: z
      .strictObject({
        dtype: z.enum(['float32', 'bfloat16']).default('bfloat16').describe('Type of the exported weights.'),
        max_shard_bytes: count.default(5_000_000_000).describe('Largest size of a weight file, in bytes.'),
        language: z
          .array(languageCode)
          .default([])
          .describe('Languages of the training text as ISO 639-1 codes, for the model card.'),
        // Under `export` rather than `data`, so that stating sources late redoes only the export. It has no default, so that the digests
        // of older recipes do not change.
        data_sources: z
          .array(dataSource)
          .min(1)
          .optional()
          .describe('Sources and licences of the training text, for the model card and `byteify publish`.'),
      })
      .prefault({})
      .describe('The exported model.'),
    hardware: z
      .strictObject({
        mode: z
          .enum(['auto', 'graph', 'xla', 'eager'])
          .default('auto')
          .describe(
            'How a step runs: as a TensorFlow graph, compiled by XLA, or operation by operation for debugging. `auto` measures and picks.',
          ),
        threads: count.max(127).optional().describe('Limit on the threads of one operation; all cores if left out.'),
      })
      .prefault({})
      .describe('How the training uses the machine.'),
  })
  .describe('A byteify recipe: how a Llama becomes a BLT.');

/** A parsed recipe, with every default filled in. */
export type Recipe = z.output<typeof recipeSchema>;

export type RecipeStage = Recipe['stages'][number];
export type StageKind = RecipeStage['kind'];
/** The settings of a stage of one kind. */
export type StageOf<Kind extends StageKind> = Extract<RecipeStage, { kind: Kind }>;
/** A stage that takes gradient steps. */
export type TrainingStage = Exclude<RecipeStage, { kind: 'closed-form' }>;

/** JSON Schema (draft 7) of a recipe file. */
export function recipeJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(recipeSchema, { io: 'input', target: 'draft-7' }) as Record<string, unknown>;
}
