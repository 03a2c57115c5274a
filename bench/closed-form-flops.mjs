// The operations of a recipe's closed form, for benchmarks that divide a budget.
import { closedFormFlops, closedFormText, expectedPositions } from '../dist/blt/index.js';

/**
 * @param {any} stage of the kind closed-form
 * @param {{ config: any, text: any, source: any, trainBytes: number }} model what stageFlops takes, and the size of the training text
 */
export function flopsOfClosedForm(stage, { config, text, source, trainBytes }) {
  const { text_bytes: textBytes, solve_bytes: solveBytes, ngram_bytes: ngramBytes, encoder, decoder } = stage;
  const read = closedFormText({ textBytes, solveBytes, ngramBytes }, trainBytes);
  const positions = expectedPositions(read, text.bytesPerPatch, source);
  return closedFormFlops({ config, text, source, work: { ...read, encoder, decoder, ...positions } });
}
