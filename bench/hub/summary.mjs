// The measurements of bench:hub as Markdown.
import { table } from '../markdown-table.mjs';
import { ROWS } from './faults.mjs';

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;

function cell({ outcome, sent_again_bytes: again }) {
  return again === undefined || outcome !== 'recovered' ? outcome : `${outcome}, ${megabytes(again)} sent again`;
}

function faultTable(faults, clients) {
  const rows = ROWS.filter(({ name }) => name in faults).map(({ name }) => [
    name,
    ...clients.map((client) => cell(faults[name][client])),
  ]);
  return table(['fault', ...clients], rows);
}

export function markdownOf({ versions, clients, faults, throughput, memory }) {
  const { files, file_bytes, repeats, bytes_per_second: rates } = throughput;
  const sizes = Object.keys(Object.values(memory)[0]);
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Node ${used.join(', ').replace('node ', '')}.`,
    faultTable(faults, clients),
    `Downloads of ${files} files of ${megabytes(file_bytes)} over the loopback, median of ${repeats}, the clients taking turns; ours verifies every byte:`,
    table(
      ['client', 'throughput'],
      Object.entries(rates).map(([client, rate]) => [client, `${megabytes(rate)}/s`]),
    ),
    'Peak memory of the client’s process while it downloads one file:',
    table(
      ['client', ...sizes.map((bytes) => `a file of ${megabytes(Number(bytes))}`)],
      Object.entries(memory).map(([client, peaks]) => [client, ...sizes.map((bytes) => megabytes(peaks[bytes]))]),
    ),
    '',
  ].join('\n\n');
}
