/** @module The user interface: progress on stderr, tables and numbers on stdout. */
export { type Bar, renderBars } from './bars.js';
export { describeError, type ErrorDescription } from './describe-error.js';
export {
  type Figure,
  type FigureFormat,
  type FigureText,
  figureText,
  measuredRows,
  measuredTable,
  RETENTION_FORMAT,
  unspelledSentence,
  withInterval,
} from './figures.js';
export { counted, humanBytes, humanCount, humanDuration, humanFlops, plural } from './format.js';
export { type PatchesView, renderPatches, withoutControls } from './patches.js';
export { printError } from './print-error.js';
export type { Progress } from './progress-line.js';
export { createReporter, type Reporter, type ReporterOptions } from './reporter.js';
export { shellWord } from './shell-word.js';
export { type Column, renderPairs, renderTable } from './table.js';
export { canAnimate, type Environment, type OutputStream, terminalColumns, usesColour } from './terminal.js';
