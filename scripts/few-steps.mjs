// Settings with which a conversion by the recipe `tiny` runs every stage for a few steps only.
const KEYS = [
  'patcher.steps=2',
  'stages.0.text_bytes=20000',
  'stages.0.solve_bytes=10000',
  'stages.1.steps=2',
  'stages.1.validate_every=2',
  'evaluate.validation_bytes=2048',
];

/** As flags of `byteify demo` and of `byteify convert --recipe tiny`. */
export const FEW_STEPS = KEYS.flatMap((key) => ['--set', key]);
