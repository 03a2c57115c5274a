/** @module A tensor read, converted and handed on in pieces, so that a table of 4 GB costs 64 MB of memory. */
import { type Dtype, dtypeBytes, fromFloat32, toFloat32 } from './dtype.js';
import { elementCount, type TensorInfo, type TensorReader } from './types.js';

const PIECE_BYTES = 64 * 2 ** 20;

export interface TensorPiecesOptions {
  /** What the pieces are of; without it, of what is stored. The same type passes through untouched. */
  readonly dtype?: Extract<Dtype, 'F32' | 'BF16'>;
  /** At most so much is held of a piece, as stored or as converted; default 64 MiB. */
  readonly pieceBytes?: number;
  /** A piece is a multiple of so many elements, and at least one such multiple; default 1. */
  readonly unitElements?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The little-endian bytes of a tensor's values, row-major, in order.
 * @param tensor as the reader has it.
 * @throws ByteifyError for a type that cannot be converted or a range that cannot be read; the signal's reason, between two pieces.
 */
export async function* tensorPieces(
  reader: Pick<TensorReader, 'read'>,
  tensor: TensorInfo,
  options: TensorPiecesOptions = {},
): AsyncGenerator<Uint8Array> {
  const { dtype = tensor.dtype, pieceBytes = PIECE_BYTES, unitElements = 1, signal } = options;
  const width = dtypeBytes(tensor.dtype);
  const unitBytes = unitElements * Math.max(width, dtypeBytes(dtype));
  const step = Math.max(1, Math.floor(pieceBytes / unitBytes)) * unitElements * width;
  const total = elementCount(tensor.shape) * width;
  for (let offset = 0; offset < total; offset += step) {
    signal?.throwIfAborted();
    const bytes = await reader.read(tensor.name, { offset, length: Math.min(step, total - offset) });
    if (dtype === tensor.dtype) yield bytes;
    else yield fromFloat32(toFloat32(bytes, tensor.dtype), dtype as 'F32' | 'BF16');
  }
}
