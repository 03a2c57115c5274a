/** @module Section "Training": bits per byte over text and over operations, beside the source's, and losses of distillation. */
import { type Curves, curveChart } from '../charts.js';
import { html } from '../html.js';
import type { ReportInputs } from '../report-inputs.js';
import type { RunCurves, RunPoint } from '../training-curves.js';
import type { Section } from './section.js';

const AXES = {
  bytes: { label: 'MB of text', of: ({ bytes }: RunPoint) => bytes / 1e6 },
  flops: { label: 'TFLOP', of: ({ flops }: RunPoint) => flops / 1e12 },
} as const;

function curves({ name, training, validation, source }: RunCurves, axis: keyof typeof AXES): Curves {
  const { label, of } = AXES[axis];
  const points = (all: readonly RunPoint[]) => all.map((point) => ({ x: of(point), y: point.value }));
  return {
    title: `${name}: bits per byte over ${label}`,
    ...{ x: label, y: 'bits per byte' },
    series: [
      { name: 'held-out text', points: points(validation), kind: 'measured' as const },
      { name: 'training text, averaged', points: points(training), kind: 'training' as const },
    ].filter((series) => series.points.length > 0),
    line: source === null ? null : { name: 'the source, on the held-out text', y: source },
  };
}

/** A loss of distillation, in its own unit. */
function lossCurve({ name }: RunCurves, loss: string, points: readonly RunPoint[]): Curves {
  const { label, of } = AXES.bytes;
  const title = loss.replaceAll('_', ' ');
  return {
    title: `${name}: loss ${title} over ${label}`,
    ...{ x: label, y: title },
    series: [
      {
        name: 'training text, averaged',
        points: points.map((point) => ({ x: of(point), y: point.value })),
        kind: 'training',
      },
    ],
    line: null,
  };
}

function domainCurves({ name, domains }: RunCurves): Curves {
  const { label, of } = AXES.bytes;
  return {
    title: `${name}: bits per byte of each domain over ${label}`,
    ...{ x: label, y: 'bits per byte' },
    series: [...domains].map(([domain, points]) => ({
      name: `held out: ${domain}`,
      points: points.map((point) => ({ x: of(point), y: point.value })),
      kind: 'compared',
    })),
    line: null,
  };
}

const hasFlops = ({ training, validation }: RunCurves) => [...training, ...validation].some(({ flops }) => flops > 0);

/** A single point, as of a closed form, is no curve. */
const isCurve = ({ training, validation, losses }: RunCurves) =>
  [training, validation, ...losses.values()].some(({ length }) => length > 1);

/** Null if nothing was logged. */
export function training({ curves: runs }: ReportInputs): Section | null {
  const drawn = runs.filter(isCurve);
  if (drawn.length === 0) return null;
  const charts = drawn.flatMap((run) => [
    ...(run.training.length + run.validation.length > 0 ? [curveChart(curves(run, 'bytes'))] : []),
    ...(hasFlops(run) ? [curveChart(curves(run, 'flops'))] : []),
    ...(run.domains.size > 0 ? [curveChart(domainCurves(run))] : []),
    ...[...run.losses].map(([loss, points]) => curveChart(lossCurve(run, loss, points))),
  ]);
  return { id: 'training', title: 'Training', body: html`${charts}` };
}
