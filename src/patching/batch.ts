/**
 * @module One micro-batch, from the thread that prepares it to the step that reads it: named fields that are typed arrays on the host and tensors
 * in the engine. A table gives each field's type and shape. No TensorFlow.
 */

/** The containers of a field's values, by data type. */
export interface FieldValues {
  readonly int32: unknown;
  readonly float32: unknown;
}

/** Field values as typed arrays, row-major. */
export interface Arrays extends FieldValues {
  readonly int32: Int32Array;
  readonly float32: Float32Array;
}

/** Sizes that all fields share. The last two are capacities: every row is padded to them, so that a trace has fixed shapes. */
export interface BatchSizes {
  readonly rows: number;
  /** Positions per row, BOS and EOS included. */
  readonly length: number;
  /** Patches per row; 0 if the rows are not segmented. */
  readonly patches: number;
  /** Tokens of the source per row; 0 if the source is not used. */
  readonly tokens: number;
}

/** Rows of bytes. */
export interface ByteFields<V extends FieldValues> {
  /** Byte ids, int32 [rows * length]; padding is BOE. */
  readonly ids: V['int32'];
  /**
   * The document of each position, counted per row, int32 [rows, length]; padding is a separate document. Null if each row is one document
   * without padding, which happens only outside training.
   */
  readonly documents: V['int32'] | null;
}

/** The targets of a byte-level language model. */
export interface LearningFields<V extends FieldValues> {
  /** The id that each position should predict, int32 [rows * length]; 0 for positions that predict nothing. */
  readonly targets: V['int32'];
  /** 1 where the target counts, else 0, float32 [rows * length]. */
  readonly weights: V['float32'];
}

/** Where the tokens of the source end: the targets of an aligned patcher. */
export interface TokenEndFields<V extends FieldValues> {
  /** 1 at the last byte of a token, else 0, float32 [rows * length]. */
  readonly tokenEnds: V['float32'];
  /** 1 where `tokenEnds` is known, else 0, float32 [rows * length]: unknown at BOS, EOS, padding, and in a token that the row's end may have cut. */
  readonly tokenEndWeights: V['float32'];
}

/** Rows segmented into patches: what a BLT reads besides the bytes. */
export interface PatchFields<V extends FieldValues> {
  /**
   * Rows of the fused hash table, int32 [rows * length * tables]. In a step that trains the table, they are indices into the step's sparse row
   * indices instead.
   */
  readonly hashRows: V['int32'];
  /** row * patches + E(p), the patch that each position is pooled into, int32 [rows * length]. */
  readonly encoderPatch: V['int32'];
  /** row * patches + D(p), the patch that each position attends to in the decoder, int32 [rows * length]. */
  readonly decoderPatch: V['int32'];
  /** The document of each patch, int32 [rows, patches]; null if `documents` is null. */
  readonly patchDocuments: V['int32'] | null;
}

/** The source's input: the tokens of the rows, document by document. */
export interface SourceInputFields<V extends FieldValues> {
  /** Ranks of tokens in the sorted vocabulary, int32 [rows * tokens]. */
  readonly sourceIds: V['int32'];
  /** The document of each token, int32 [rows, tokens]; padding is a separate document. */
  readonly sourceDocuments: V['int32'];
}

/** The source's hidden states, which a decoder in training reads in place of latent patches. */
export interface SourceStateFields<V extends FieldValues> {
  /** The source's last hidden states before its final norm, float32 [rows * tokens, Hg]. */
  readonly sourceStates: V['float32'];
  /** The state after each patch's chunk of tokens, as an index into `sourceStates`, int32 [rows * patches]. */
  readonly patchState: V['int32'];
}

/** The targets of an encoder: the token that each patch equals. */
export interface PatchTokenFields<V extends FieldValues> {
  /** The rank of the token, int32 [rows * patches]. */
  readonly patchToken: V['int32'];
  /** 1 for a closed patch that is exactly one token, else 0, float32 [rows * patches]. */
  readonly patchWeight: V['float32'];
}

/** How the source predicts each next byte: the targets of a decoder. */
export interface ByteTargetFields<V extends FieldValues> {
  /** The state that predicts the next byte, as an index into `sourceStates`, int32 [rows * length]. */
  readonly targetState: V['int32'];
  /** Ranks [bounds[b], bounds[b + 1]) are the tokens that continue with byte b, int32 [rows * length, 257]. */
  readonly targetBounds: V['int32'];
  /** 1 where the next position is a byte of the same document, else 0, float32 [rows * length]. */
  readonly targetWeight: V['float32'];
  /** The patch whose chunk of tokens contains the next byte, int32 [rows * length]; rows * patches if that patch has no weight. */
  readonly chunkOfByte: V['int32'];
  /** 1 for a closed patch whose chunk has several tokens, else 0, float32 [rows * patches]. */
  readonly chunkWeights: V['float32'];
}

/** All fields that a micro-batch can have. */
export interface Batch<V extends FieldValues>
  extends BatchSizes,
    ByteFields<V>,
    LearningFields<V>,
    TokenEndFields<V>,
    PatchFields<V>,
    SourceInputFields<V>,
    SourceStateFields<V>,
    PatchTokenFields<V>,
    ByteTargetFields<V> {}

export type BatchField = Exclude<keyof Batch<FieldValues>, keyof BatchSizes>;

/** A micro-batch with some of the fields: which ones depends on what is trained or measured. */
export type PartialBatch<V extends FieldValues> = BatchSizes & Partial<Pick<Batch<V>, BatchField>>;

/** A micro-batch with at least the fields F. */
export type BatchWith<V extends FieldValues, F extends BatchField> = PartialBatch<V> &
  Required<Pick<PartialBatch<V>, F>>;

interface TypeNames extends FieldValues {
  readonly int32: 'int32';
  readonly float32: 'float32';
}

export interface FieldSpec<F extends BatchField = BatchField> {
  readonly dtype: NonNullable<Batch<TypeNames>[F]>;
  /** The sizes of the axes; one may be REST. */
  readonly shape: (sizes: BatchSizes) => readonly number[];
}

/** An axis whose size follows from the number of values: the hash tables, or the source's width. */
const REST = -1;
/** The number of bounds of 256 ranges of tokens, one range per byte value. */
export const BOUNDS = 257;

const perPosition = ({ rows, length }: BatchSizes) => [rows * length];
const perPatch = ({ rows, patches }: BatchSizes) => [rows * patches];

/** The type and shape of each field. */
export const BATCH_FIELDS: { readonly [F in BatchField]: FieldSpec<F> } = {
  ids: { dtype: 'int32', shape: perPosition },
  documents: { dtype: 'int32', shape: ({ rows, length }) => [rows, length] },
  targets: { dtype: 'int32', shape: perPosition },
  weights: { dtype: 'float32', shape: perPosition },
  tokenEnds: { dtype: 'float32', shape: perPosition },
  tokenEndWeights: { dtype: 'float32', shape: perPosition },
  hashRows: { dtype: 'int32', shape: () => [REST] },
  encoderPatch: { dtype: 'int32', shape: perPosition },
  decoderPatch: { dtype: 'int32', shape: perPosition },
  patchDocuments: { dtype: 'int32', shape: ({ rows, patches }) => [rows, patches] },
  sourceIds: { dtype: 'int32', shape: ({ rows, tokens }) => [rows * tokens] },
  sourceDocuments: { dtype: 'int32', shape: ({ rows, tokens }) => [rows, tokens] },
  sourceStates: { dtype: 'float32', shape: ({ rows, tokens }) => [rows * tokens, REST] },
  patchState: { dtype: 'int32', shape: perPatch },
  patchToken: { dtype: 'int32', shape: perPatch },
  patchWeight: { dtype: 'float32', shape: perPatch },
  targetState: { dtype: 'int32', shape: perPosition },
  targetBounds: { dtype: 'int32', shape: ({ rows, length }) => [rows * length, BOUNDS] },
  targetWeight: { dtype: 'float32', shape: perPosition },
  chunkOfByte: { dtype: 'int32', shape: perPosition },
  chunkWeights: { dtype: 'float32', shape: perPatch },
};

/**
 * The shape of a field with `count` values.
 * @throws Error if the shape in the table does not have that many elements.
 */
export function fieldShape(field: BatchField, sizes: BatchSizes, count: number): number[] {
  const axes = BATCH_FIELDS[field].shape(sizes);
  const known = axes.reduce((product, axis) => (axis === REST ? product : product * axis), 1);
  const rest = count / known;
  if (axes.includes(REST) ? !Number.isInteger(rest) : count !== known)
    throw new Error(`The batch has ${count} values of ${field}, whose shape is [${axes.join(', ')}].`);
  return axes.map((axis) => (axis === REST ? rest : axis));
}

/** Returns the batch, typed as having these fields. @throws Error that names missing fields. */
export function requireFields<B extends PartialBatch<FieldValues>, F extends BatchField>(
  batch: B,
  fields: readonly (F & keyof B)[],
): B & Required<Pick<B, F & keyof B>> {
  const missing = fields.filter((field) => batch[field] === undefined);
  if (missing.length > 0)
    throw new Error(`The batch lacks ${missing.join(', ')}: its preparer was not asked for these fields.`);
  return batch as B & Required<Pick<B, F & keyof B>>;
}
