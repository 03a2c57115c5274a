// The report of bench:corpus: totals by split and kind of text, and its Markdown tables.
import { table } from '../markdown-table.mjs';
import { KINDS } from './kinds.mjs';
import { SPLITS } from './splits.mjs';

const sum = (values) => values.reduce((total, value) => total + value, 0);
const total = (packages, kind) => ({
  documents: sum(packages.map(({ kinds }) => kinds[kind]?.documents ?? 0)),
  bytes: sum(packages.map(({ kinds }) => kinds[kind]?.bytes ?? 0)),
});

/** @param {Record<string, number>[]} counts @returns {Record<string, number>} */
function added(counts) {
  const totals = {};
  for (const found of counts) for (const [name, n] of Object.entries(found)) totals[name] = (totals[name] ?? 0) + n;
  return totals;
}

/** @param {Pick<ReturnType<typeof import('./build.mjs').buildCorpus>, 'report' | 'overlap'>} built */
export const summaryOf = ({ report: packages, overlap }) => ({
  command: 'npm run bench:corpus',
  splits: Object.fromEntries(
    SPLITS.map((split) => {
      const members = packages.filter((entry) => entry.split === split);
      return [
        split,
        { packages: members.length, ...Object.fromEntries(KINDS.map((kind) => [kind, total(members, kind)])) },
      ];
    }),
  ),
  rejected: added(packages.map(({ rejected }) => rejected)),
  duplicates: added(packages.map(({ duplicates }) => duplicates)),
  overlap,
  packages,
});

const numberTable = (heads, rows) => table(heads, rows, { numbers: true });
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
const percent = (share) => `${(100 * share).toFixed(2)} %`;
const cell = ({ documents, bytes }) =>
  documents === 0 ? '' : `${megabytes(bytes)} (${documents.toLocaleString('en')})`;

/** @param {ReturnType<typeof summaryOf>} summary */
export function tablesOf({ splits, rejected, duplicates, overlap, packages }) {
  const bySplit = Object.entries(splits).map(([split, { packages: count, ...kinds }]) => {
    const totals = KINDS.map((kind) => kinds[kind]);
    const all = { documents: sum(totals.map((kind) => kind.documents)), bytes: sum(totals.map((kind) => kind.bytes)) };
    return [split, count, ...totals.map(cell), cell(all)];
  });
  const removed = Object.entries({
    ...rejected,
    ...Object.fromEntries(Object.entries(duplicates).map(([of, n]) => [`near duplicate ${of}`, n])),
  });
  const byPackage = packages.map(({ name, registry, version, licence, split, kinds, rejected, duplicates }) => [
    `${name} ${version}`,
    registry,
    licence,
    split,
    ...KINDS.map((kind) => cell(kinds[kind] ?? { documents: 0, bytes: 0 })),
    sum(Object.values(rejected)),
    sum(Object.values(duplicates)),
  ]);
  return [
    'MB of text (documents):',
    numberTable(['split', 'packages', ...KINDS, 'together'], bySplit),
    'Documents that were removed:',
    numberTable(
      ['reason', 'documents'],
      removed.sort(([, a], [, b]) => Number(b) - Number(a)).map(([reason, n]) => [reason, n.toLocaleString('en')]),
    ),
    'Share of the runs of 13 words that also occur in the training text:',
    numberTable(
      ['split', ...KINDS],
      Object.entries(overlap).map(([split, kinds]) => [split, ...KINDS.map((kind) => percent(kinds[kind] ?? 0))]),
    ),
    'Packages, with MB of text (documents), and the documents removed as unsuitable and as near duplicates:',
    numberTable(['package', 'registry', 'licence', 'split', ...KINDS, 'unsuitable', 'near duplicates'], byPackage),
  ].join('\n\n');
}
