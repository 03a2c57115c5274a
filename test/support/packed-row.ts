/** Packs documents into one row without padding. The last byte of a document has no target that counts. */
export function packedRow(texts: readonly (readonly number[])[]) {
  const ids = Int32Array.from(texts.flat());
  const targets = new Int32Array(ids.length);
  targets.set(ids.subarray(1));
  const weights = new Float32Array(ids.length).fill(1);
  let end = 0;
  const documents = texts.map(({ length }) => {
    const start = end;
    end += length;
    weights[end - 1] = 0;
    return { start, end };
  });
  return { ids, targets, weights, documents, byteCount: ids.length - documents.length, number: 0 };
}
