// The results of bench:scale-out as tables, by part.
import { table } from '../markdown-table.mjs';
import { predictedMs } from './scaling.mjs';

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

function scalingTable({ scaling, gradient_bytes: gradientBytes }) {
  const predicted = predictedMs(scaling, gradientBytes);
  const rows = scaling.map((result, i) => [
    result.processes,
    result.apart_ms.toFixed(0),
    result.ms.toFixed(0),
    `${(100 * result.efficiency).toFixed(0)} %`,
    predicted[i].toFixed(0),
    megabytes(result.wire_bytes_per_step),
    megabytes(result.wire_bytes_without_hash_rows),
    megabytes(result.least_wire_bytes_without_hash_rows),
  ]);
  const heads = [
    ...['processes', 'ms per step, apart', 'together', 'efficiency', 'predicted ms'],
    ...['MB on the wire per step', 'without hash rows', 'at least'],
  ];
  return table(heads, rows, { numbers: true });
}

function faultTable({ faults }) {
  const rows = faults.map(({ what, seconds, exit_code: code, message }) => [
    what,
    seconds === null ? '' : seconds.toFixed(1),
    code ?? '',
    message,
  ]);
  return table(['what happens', 'seconds until noticed', 'exit code', 'message'], rows);
}

function killSentence({ kills: { kills, of_rank: ofRank, steps, different_steps: different } }) {
  const ranks = ofRank.map((count, rank) => `${count} of process ${rank}`).join(', ');
  return `${kills} kills at random times (${ranks}), each followed by a restart: of ${steps} steps, ${different} read other text or had another loss than without.`;
}

function prepareTable({ prepare }) {
  const rows = prepare.map(({ way, seconds, bytes_per_second: rate }) => [way, seconds.toFixed(1), megabytes(rate)]);
  return table(['', 'seconds', 'MB/s'], rows, { numbers: true });
}

/** @type {Record<string, [string, (report: any) => string]>} */
const SECTIONS = {
  scaling: ['Weak scaling', scalingTable],
  faults: ['Faults', faultTable],
  kills: ['Kills', killSentence],
  prepare: ['Preparing data', prepareTable],
};

/** The parts that a report has. @param {any} report */
export const sectionsOf = (report) =>
  Object.entries(SECTIONS)
    .filter(([part]) => report[part] !== undefined)
    .map(([, [title, text]]) => `## ${title}\n\n${text(report)}`)
    .join('\n\n');
