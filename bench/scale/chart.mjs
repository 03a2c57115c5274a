// The chart of bench:scale: held-out bits per byte over the text that was read, a line per arm.
import * as Plot from '@observablehq/plot';
import { drawPlot, standaloneSvg } from '../../dist/report/plot.js';
import { seedInterval } from '../seeds.mjs';

const HEIGHT = 420;
const INK = '#1c1e22';
/** Of the arms at equal cost. */
const COLOURS = ['#0b63b6', '#b3470f', '#3b7d23'];
const CONTROL = '#7a7d85';
const MARGINS = { marginTop: 76, marginRight: 24, marginBottom: 56, marginLeft: 60 };
const AXIS = /** @type {const} */ ({ grid: true, nice: true, labelAnchor: 'center', labelArrow: 'none' });
const ENTRY_HEIGHT = 20;

/** The mean curve over the runs of an arm, from the first evaluation after a step. @param {any[]} runs */
export function meanCurve(runs) {
  return runs[0].curve
    .map(({ bytes }, i) => ({
      megabytes: bytes / 1e6,
      bits: seedInterval(runs.map(({ curve }) => curve[i].bits_per_byte)).mean,
    }))
    .filter(({ megabytes }) => megabytes > 0);
}

/** @param {any} summary @returns the text of the SVG file */
export function drawChart({ arms }) {
  const title = 'Larger models with larger patches at equal FLOPs of inference per byte';
  const count = arms[0].runs.length;
  const series = arms.map(({ global, bytes_per_patch: patch, at_budget: atBudget, runs }, i) => ({
    points: meanCurve(runs),
    name: `${global.width} × ${global.layers}, ${patch.toFixed(1)} bytes per patch${atBudget ? '' : ' (cheaper)'}`,
    stroke: atBudget ? COLOURS[i] : CONTROL,
    strokeDasharray: atBudget ? undefined : '5 4',
  }));
  const heading = (text, dy, options) =>
    Plot.text([text], {
      frameAnchor: 'top-left',
      lineAnchor: 'bottom',
      dx: -MARGINS.marginLeft + 12,
      dy,
      ...options,
    });
  const chart = drawPlot(title, {
    ...MARGINS,
    height: HEIGHT,
    style: { fontFamily: 'sans-serif', fontSize: '12px', color: INK },
    x: { ...AXIS, zero: true, label: 'training text read, MB' },
    y: { ...AXIS, label: 'held-out bits per byte' },
    marks: [
      ...series.flatMap(({ points, stroke, strokeDasharray }) => [
        Plot.line(points, { x: 'megabytes', y: 'bits', stroke, strokeWidth: 2, strokeDasharray }),
        Plot.dot(points, { x: 'megabytes', y: 'bits', fill: stroke, r: 2.5 }),
      ]),
      // No curve is there: all fall.
      ...series.map(({ name, stroke }, i) =>
        Plot.text([`● ${name}`], {
          ...{ frameAnchor: 'top-right', textAnchor: 'start', dx: -250, dy: 10 + ENTRY_HEIGHT * i, fill: stroke },
        }),
      ),
      heading(title, -42, { fontSize: 15, fontWeight: 600 }),
      heading(
        `width × layers of the global transformer; ${count === 1 ? 'one seed' : `mean of ${count} seeds`}`,
        -24,
        {},
      ),
    ],
  });
  return standaloneSvg(chart, HEIGHT);
}
