/** @module Opens a GGUF file. Tensors keep their GGUF names; quantised ones are read as float32. */
import type { FileHandle } from 'node:fs/promises';
import { ByteifyError } from '../errors.js';
import { BEGINNING_BYTES, readFully, refuseForeignContent } from '../fs/index.js';
import {
  type ByteRange,
  checkRange,
  openFile,
  quoted,
  type Refuse,
  type TensorReader,
  tensorBytes,
} from '../safetensors/index.js';
import { type GgufHeader, readGgufHeader } from './header.js';
import { type Placed, placeTensors } from './place.js';
import { QUANTISATIONS } from './quants.js';
import { PLAIN_TYPES, TENSOR_TYPES } from './types.js';
import { type GgufValue, numberIn } from './values.js';

export interface GgufFile extends TensorReader {
  readonly keyValues: ReadonlyMap<string, GgufValue>;
  /** Tensor name -> storage type, such as `Q8_0`. */
  readonly storedTypes: ReadonlyMap<string, string>;
}

/** Stored bytes dequantised at a time. */
const CHUNK_BYTES = 16 * 2 ** 20;

/** Refuses files that are valid but not supported. */
function checkReadable({ keyValues, tensors }: GgufHeader, path: string): void {
  const parts = numberIn(keyValues.get('split.count'));
  if (parts !== null && parts > 1) {
    throw new ByteifyError(`${path} is one of the ${parts} files that its model is split into.`, {
      hint: 'Merge them first: llama-gguf-split --merge.',
    });
  }
  for (const { name, type: number } of tensors) {
    const type = TENSOR_TYPES[number] ?? `type number ${number}`;
    if (PLAIN_TYPES.has(type) || QUANTISATIONS.has(type)) continue;
    throw new ByteifyError(`${path}: tensor ${quoted(name)} is stored as ${type}, which is not supported.`, {
      hint: `Supported types: ${[...PLAIN_TYPES.keys(), ...QUANTISATIONS.keys()].join(', ')}.`,
    });
  }
}

/** The magic numbers of llama.cpp's formats before GGUF, as the four letters appear in a little-endian file. */
const BEFORE_GGUF: readonly string[] = ['lmgg', 'fmgg', 'tjgg', 'algg'];

/** Refuses a file that is not GGUF, and says what it is. */
async function refuseForeign(file: FileHandle, fileBytes: number, path: string): Promise<void> {
  const beginning = new Uint8Array(Math.min(BEGINNING_BYTES, fileBytes));
  await readFully(file, beginning, 0, path);
  refuseForeignContent(beginning, path);
  if (BEFORE_GGUF.includes(Buffer.from(beginning.subarray(0, 4)).toString('latin1'))) {
    throw new ByteifyError(`${path} is a llama.cpp model file in a format that predates GGUF.`, {
      hint: 'Use a GGUF file of the model, or its transformers checkpoint.',
    });
  }
}

interface Stored {
  readonly file: FileHandle;
  readonly path: string;
  readonly tensor: Placed;
}

/** Reads a byte range of a quantised tensor as float32. It dequantises the blocks that cover the range, a few MB at a time. */
async function readQuantised({ file, path, tensor }: Stored, range: ByteRange): Promise<Uint8Array> {
  if (range.offset % 4 !== 0 || range.length % 4 !== 0)
    throw new ByteifyError(`Ranges of the dequantised tensor ${quoted(tensor.info.name)} must be whole floats.`, {
      hint: 'Offset and length count bytes of float32, so they must be multiples of 4.',
    });
  const { blockElements, blockBytes, dequantise } = QUANTISATIONS.get(tensor.type)!;
  const blockFloatBytes = blockElements * 4;
  const first = Math.floor(range.offset / blockFloatBytes);
  const end = Math.ceil((range.offset + range.length) / blockFloatBytes);
  const values = new Float32Array((end - first) * blockElements);
  const perChunk = Math.floor(CHUNK_BYTES / blockBytes);
  const stored = new Uint8Array(Math.min(perChunk, end - first) * blockBytes);
  for (let chunk = first; chunk < end; chunk += perChunk) {
    const count = Math.min(perChunk, end - chunk);
    await readFully(file, stored.subarray(0, count * blockBytes), tensor.begin + chunk * blockBytes, path);
    const at = (chunk - first) * blockElements;
    for (let i = 0; i < count; i++) dequantise(stored, i * blockBytes, values, at + i * blockElements);
  }
  return new Uint8Array(values.buffer, range.offset - first * blockFloatBytes, range.length);
}

async function readPlain({ file, path, tensor }: Stored, range: ByteRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.length);
  await readFully(file, bytes, tensor.begin + range.offset, path);
  return bytes;
}

/**
 * Opens a GGUF file of version 2 or 3. Shapes are row-major, as in the other readers: [out, in] for a matrix. F32, F16 and BF16 tensors
 * are read as stored, quantised ones as F32 in ranges of whole floats.
 * @throws ByteifyError when the file is absent, invalid or of an unsupported kind.
 */
export async function openGguf(path: string): Promise<GgufFile> {
  const file = await openFile(path);
  const refuse: Refuse = (what) => {
    throw new ByteifyError(`${path} is not a valid GGUF file: ${what}.`, { hint: 'Download the file again.' });
  };
  try {
    const { size } = await file.stat();
    await refuseForeign(file, size, path);
    const header = await readGgufHeader(file, { fileBytes: size, path, refuse });
    checkReadable(header, path);
    const placed = placeTensors(header, size, refuse);
    return {
      keyValues: header.keyValues,
      tensors: new Map([...placed].map(([name, { info }]) => [name, info])),
      storedTypes: new Map([...placed].map(([name, { type }]) => [name, type])),
      metadata: {},
      async read(name, range) {
        const tensor = placed.get(name);
        if (tensor === undefined)
          throw new ByteifyError(`${path} lacks the tensor ${quoted(name)}.`, {
            hint: '`byteify inspect` lists the tensors that it has.',
          });
        const bytes = tensorBytes(tensor.info);
        const { offset, length } = range ?? { offset: 0, length: bytes };
        checkRange(name, bytes, { offset, length });
        const read = PLAIN_TYPES.has(tensor.type) ? readPlain : readQuantised;
        return read({ file, path, tensor }, { offset, length });
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}
