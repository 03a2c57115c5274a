/** @module What a plugin reports of a failed call, in a sentence. */
import { ByteifyError } from '../../errors.js';

interface Meaning {
  readonly sentence: string;
  readonly hint: string;
}

const RESUME = 'run the same command again to continue from the last checkpoint';

/** By absl::StatusCode, which has gRPC's numbers: those that a user can do something about. */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  8: {
    sentence: 'The device has too little memory',
    hint: 'Lower micro_batch_size, set gradient_checkpointing, or divide the model with --devices N --fully-sharded; `byteify plan --target` says what a stage needs. Other processes may use the device’s memory too.',
  },
  12: { sentence: 'The plugin lacks what this needs', hint: 'Use the plugin that `byteify setup` downloads.' },
  13: {
    sentence: 'The device or its driver failed',
    hint: `See the kernel’s log (\`dmesg\`) and \`nvidia-smi\`; ${RESUME}.`,
  },
  14: { sentence: 'The device is not available any more', hint: `Check that the driver still lists it; ${RESUME}.` },
};

export class PjrtError extends ByteifyError {
  /**
   * @param said the plugin's own words
   * @param code absl::StatusCode
   */
  constructor(said: string, code: number) {
    const meaning = MEANINGS[code];
    if (meaning === undefined) super(said);
    else super(`${meaning.sentence}: ${said.split('\n', 1)[0]}`, { hint: meaning.hint });
  }
}
