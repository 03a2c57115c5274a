/** @module `patcher calibrate --sweep`: thresholds for several patch sizes, as a table and as a JSON document. */
import type { Sweep, SweepPoint } from '../../pipeline/index.js';
import { humanBytes, renderTable } from '../../ui/index.js';

/** A share of nothing has no value. */
const known = (value: number | undefined): number | null => (value === undefined || Number.isNaN(value) ? null : value);

/** The figures of a row: the key in the JSON document, the title in the table, the decimals there, and the value. */
const FIGURES: readonly {
  readonly key: string;
  readonly title: string;
  readonly decimals: number;
  readonly of: (point: SweepPoint) => number | undefined;
}[] = [
  { key: 'target_bytes_per_patch', title: 'target', decimals: 2, of: ({ target }) => target },
  { key: 'bytes_per_patch', title: 'bytes per patch', decimals: 3, of: ({ bytesPerPatch }) => bytesPerPatch },
  { key: 'threshold_nats', title: 'threshold, nats', decimals: 4, of: ({ threshold }) => threshold },
  {
    key: 'inside_character_cut_fraction',
    title: 'cuts inside characters',
    decimals: 4,
    of: ({ insideCharacterShare }) => insideCharacterShare,
  },
];

const TOKEN_FIGURES: typeof FIGURES = [
  { key: 'cut_precision', title: 'precision', decimals: 3, of: ({ agreement }) => agreement?.cutPrecision },
  { key: 'cut_recall', title: 'recall', decimals: 3, of: ({ agreement }) => agreement?.cutRecall },
  { key: 'late_cut_fraction', title: 'late', decimals: 3, of: ({ agreement }) => agreement?.lateShare },
];

/** Those of tokens only if there is a source. */
const figuresOf = ({ points }: Sweep) =>
  points.some(({ agreement }) => agreement !== null) ? [...FIGURES, ...TOKEN_FIGURES] : FIGURES;

export function renderSweep(sweep: Sweep): string {
  const figures = figuresOf(sweep);
  const table = renderTable(
    figures.map(({ title }) => ({ title, align: 'right' })),
    sweep.points.map((point) => figures.map(({ of, decimals }) => known(of(point))?.toFixed(decimals) ?? '')),
  );
  const bytesPerToken = bytesPerTokenOf(sweep);
  const tokens = bytesPerToken === null ? '' : ` The source has ${bytesPerToken.toFixed(3)} bytes per token.`;
  return `${table}\nOn ${humanBytes(sweep.bytes)} of text; the config is unchanged.${tokens}\n`;
}

export const sweepDocument = (sweep: Sweep) => ({
  text_bytes: sweep.bytes,
  source_bytes_per_token: bytesPerTokenOf(sweep),
  sweep: sweep.points.map((point) =>
    Object.fromEntries(figuresOf(sweep).map(({ key, of }) => [key, known(of(point))])),
  ),
});

/** Does not depend on the threshold; null without a source. */
const bytesPerTokenOf = ({ points }: Sweep) => points[0]?.agreement?.bytesPerToken ?? null;
