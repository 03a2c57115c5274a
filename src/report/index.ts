/** @module One page about a conversion: curves, suites, patches, samples, how to make it again. */
export { type Comparison, compare } from './comparison.js';
export { type ModelReadings, modelReadings } from './model-readings.js';
export { comparisonPage, reportPage } from './page.js';
export { type ReportInputs, reportInputs } from './report-inputs.js';
export { openWatch, type Watch } from './watch.js';
export { type WriteReportOptions, writeReport } from './write-report.js';
