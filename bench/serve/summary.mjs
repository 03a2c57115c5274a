// The measurements as Markdown.
const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
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
    `${streams} concurrent streams for ${length} s on ${slots} slots, and clients that mean no good beside them. ${model}; ${machine}.`,
    table(
      ['streams', 'count'],
      [
        ['finished, equal to what was written alone', texts.equal],
        ['finished, parted at a tie of the two likeliest bytes', texts.ties],
        ['finished, different', texts.different],
        ['lost', texts.lost],
        ['left by their clients', texts.left],
      ],
    ),
    table(
      ['other clients', 'count', 'answered as they should'],
      [
        ...Object.entries(refused).map(([name, { count, right }]) => [name, count, right]),
        ...Object.entries(slow).map(([name, count]) => [name, count, '']),
      ],
    ),
    table(
      ['measured', ''],
      [
        ['bytes/s, all streams', rate.toFixed(0)],
        ['first byte, waiting for a slot included: median, 95 %, longest', latency.map(seconds).join(', ')],
        ['resident memory at 10 s, at the end, highest', memory.map(megabytes).join(', ')],
        ['texts that run or wait when all clients are gone', after.texts],
        ['streams dropped because nobody read them', after.dropped],
        ['exit code after SIGTERM', after.exit_code],
      ],
    ),
    '',
  ].join('\n\n');
}
