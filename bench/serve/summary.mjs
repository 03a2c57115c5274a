// The measurements of bench:serve as Markdown.
import { table } from '../markdown-table.mjs';

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

export function markdownOf(result) {
  const {
    model,
    machine,
    streams,
    seconds: length,
    slots,
    texts,
    refused,
    slow,
    memory,
    latency,
    rate,
    after,
  } = result;
  return [
    `${streams} concurrent streams for ${length} s on ${slots} slots, beside misbehaving clients. ${model}; ${machine}.`,
    table(
      ['streams', 'count'],
      [
        ['finished, equal to the text generated alone', texts.equal],
        ['finished, diverged at a tie of the two likeliest bytes', texts.ties],
        ['finished, different', texts.different],
        ['lost', texts.lost],
        ['abandoned by their clients', texts.left],
      ],
    ),
    table(
      ['other clients', 'count', 'refused as expected'],
      [
        ...Object.entries(refused).map(([name, { count, right }]) => [name, count, right]),
        ...Object.entries(slow).map(([name, count]) => [name, count, '']),
      ],
    ),
    table(
      ['measured', ''],
      [
        ['bytes/s, all streams', rate.toFixed(0)],
        [
          'time to the first byte, including the wait for a slot: median, 95 %, maximum',
          latency.map(seconds).join(', '),
        ],
        ['resident memory after 10 s, at the end, maximum', memory.map(megabytes).join(', ')],
        ['streams that run or wait after all clients have left', after.texts],
        ['streams dropped because nobody read them', after.dropped],
        ['exit code after SIGTERM', after.exit_code],
      ],
    ),
    '',
  ].join('\n\n');
}
