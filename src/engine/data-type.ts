/** @module The types of tensors, by TensorFlow's numbers. */

/** TF_DataType values (tensorflow/c/tf_datatype.h). */
export const DataType = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int8: 6,
  string: 7,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  resource: 20,
} as const;

const BYTES: Readonly<Record<number, number>> = {
  [DataType.float32]: 4,
  [DataType.float64]: 8,
  [DataType.int32]: 4,
  [DataType.int64]: 8,
  [DataType.bfloat16]: 2,
};

/** Bytes per value. */
export const bytesOfType = (dtype: number): number => BYTES[dtype] ?? 1;
