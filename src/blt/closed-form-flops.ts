/** @module Floating-point operations of the closed-form initialisation. What counts as one is said in flops.ts. */
import type { BltConfig, TransformerConfig } from './config.js';
import { forwardFlops, type SourceShape, stageFlops, type TextShape, totalFlops } from './flops.js';
import { localChannels } from './local-channels.js';

/** Passes over the ends of patches in the encoder's fit, unless there are very few. */
export const ENCODER_FIT_EPOCHS = 3;
/** Passes of the decoder's fit over its text, unless the text is very short. */
export const DECODER_FIT_EPOCHS = 2;
/** The most common token prefixes have a class of their own; all others are classed by their last byte, if it is a common one. */
export const PREFIX_CLASSES = { prefixes: 100, lastBytes: 26 } as const;
const CLASS_COUNT = PREFIX_CLASSES.prefixes + PREFIX_CLASSES.lastBytes + 1;

/** What the initialisation does: its settings in a recipe, with the numbers of positions that its fits read. */
export interface ClosedFormWork {
  /** Bytes cut into patches, from whose ends the encoder is fitted. */
  readonly textBytes: number;
  /** Bytes of other text, which the source reads. */
  readonly solveBytes: number;
  /** Bytes that the decoder's n-gram tables are trained on. */
  readonly ngramBytes: number;
  readonly encoder: 'back-off' | 'tables' | 'feed-forward';
  readonly decoder: 'linear' | 'feed-forward' | 'prefix-gates';
  /** Ends of patches that the encoder's fit reads, counting repetitions. */
  readonly patchEnds: number;
  /** Positions that the decoder's fit reads, counting repetitions. */
  readonly positions: number;
}

/** A trained product costs its forward pass and two gradients. */
const TRAINED = 3;

const product = (inputs: number, outputs: number): number => 2 * inputs * outputs;
const feedForward = ({ hiddenSize, intermediateSize }: TransformerConfig): number =>
  3 * product(hiddenSize, intermediateSize);

/** The numbers of positions that the fits read if the text is not very short. */
export function expectedPositions(
  { textBytes, solveBytes }: Pick<ClosedFormWork, 'textBytes' | 'solveBytes'>,
  bytesPerPatch: number,
  { vocabSize }: Pick<SourceShape, 'vocabSize'>,
): Pick<ClosedFormWork, 'patchEnds' | 'positions'> {
  const patchEnds = ENCODER_FIT_EPOCHS * (textBytes / bytesPerPatch + vocabSize);
  return { patchEnds, positions: DECODER_FIT_EPOCHS * solveBytes };
}

/**
 * The cost of a closed form in FLOPs. The patcher cuts the text of the encoder and of the solves. On the latter, the source's states and its
 * expectation of each next byte are computed once. Look-ups of rows, and the eigenvectors and factors of sums, are omitted.
 */
export function closedFormFlops(params: {
  readonly config: BltConfig;
  readonly text: TextShape;
  readonly source: SourceShape;
  readonly work: ClosedFormWork;
}): number {
  const { work, ...question } = params;
  const { config, text } = question;
  const { encoder, decoder, vocabSize, crossAttnK, global } = config;
  const { model, sourceStates, sourceHead } = stageFlops({ ...question, stage: { kind: 'closed-form' } });
  const patcher = totalFlops(forwardFlops(config, text).patcher);
  const width = decoder.hiddenSize;
  const values = (product(global.hiddenSize, crossAttnK * width) + product(width, width)) / text.bytesPerPatch;
  const { spare } = localChannels(config);
  const ngrams = TRAINED * (product(spare, vocabSize) + product(spare, CLASS_COUNT));
  const encoderUnits = work.encoder === 'feed-forward' ? feedForward(encoder) : 0;
  const decoderUnits = work.decoder === 'linear' ? 0 : feedForward(decoder);
  const read = encoderUnits + TRAINED * (product(width, width) + decoderUnits + product(width, vocabSize));
  return (
    (work.textBytes + work.solveBytes) * patcher +
    work.solveBytes * (model - patcher + sourceStates + sourceHead + values) +
    work.ngramBytes * ngrams +
    work.patchEnds * TRAINED * encoderUnits +
    work.positions * read
  );
}
