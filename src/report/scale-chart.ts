/** @module A chart of patch sizes by sizes of the global transformer at a fixed cost of inference, as an SVG file that stands alone. */
import * as Plot from '@observablehq/plot';
import type { Scale } from '../plan/index.js';
import { humanFlops } from '../ui/index.js';
import { drawPlot, standaloneSvg } from './plot.js';

const HEIGHT = 420;
/** The light colours of the page's style sheet. */
const [INK, LINE, SOURCE] = ['#1c1e22', '#0b63b6', '#b3470f'];
const MARGINS = { marginTop: 76, marginRight: 100, marginBottom: 56, marginLeft: 60 } as const;
/** The unit of the axis, by the largest number of parameters. */
const UNITS = [
  [1e9, 'billions'],
  [1e6, 'millions'],
  [1e3, 'thousands'],
  [1, ''],
] as const;
const PARAMETERS = 'parameters of the global transformer';
const AXIS = { grid: true, nice: true, zero: true, labelAnchor: 'center', labelArrow: 'none' } as const;
const LABEL = { x: 'x', y: 'y', text: 'label', textAnchor: 'start', dx: 8 } as const;

interface Point {
  readonly x: number;
  readonly y: number;
  readonly label: string;
  readonly isSource: boolean;
}

/**
 * Sizes that have a patch size at the budget, as points of a line; the source's is marked, and the recipe's own model is a ring.
 * @param scale with at least one such size
 * @param about.model as the title names it
 * @returns the text of the SVG file
 */
export function scaleChart(scale: Scale, { model }: { model: string }): string {
  const sized = scale.sizes.flatMap(({ size, bytesPerPatch }) =>
    typeof bytesPerPatch === 'number' ? [{ ...size, bytesPerPatch }] : [],
  );
  const { size: source } = scale.sizes.find(({ size }) => size.isSource)!;
  const most = Math.max(...sized.map(({ parameters }) => parameters));
  const [unit, name] = UNITS.find(([from]) => most >= from)!;
  const points = sized.map(
    ({ parameters, bytesPerPatch, hiddenSize, layers, isSource }): Point => ({
      x: parameters / unit,
      y: bytesPerPatch,
      label: `${hiddenSize} × ${layers}`,
      isSource,
    }),
  );
  const recipe = { x: source.parameters / unit, y: scale.own.bytesPerPatch };
  const title = `Patch size against model size at ${humanFlops(scale.budgetFlopsPerByte)} of inference per byte`;
  const subtitle = `${model}: width × layers of the global transformer; local models and patcher stay as they are`;
  const heading = (text: string, dy: number, options: Plot.TextOptions) =>
    Plot.text([text], { frameAnchor: 'top-left', lineAnchor: 'bottom', dx: -MARGINS.marginLeft + 12, dy, ...options });
  const chart = drawPlot(title, {
    ...MARGINS,
    height: HEIGHT,
    style: { fontFamily: 'sans-serif', fontSize: '12px', color: INK },
    x: { ...AXIS, label: name === '' ? PARAMETERS : `${PARAMETERS}, ${name}` },
    y: { ...AXIS, label: 'mean bytes per patch' },
    marks: [
      Plot.line(points, { x: 'x', y: 'y', stroke: LINE, strokeWidth: 1.5 }),
      Plot.dot(points, { x: 'x', y: 'y', fill: LINE, r: 3.5 }),
      Plot.dot(
        points.filter(({ isSource }) => isSource),
        { x: 'x', y: 'y', fill: SOURCE, r: 6 },
      ),
      Plot.dot([recipe], { x: 'x', y: 'y', stroke: SOURCE, strokeWidth: 2, r: 9 }),
      Plot.text(points, { ...LABEL, fill: ({ isSource }: Point) => (isSource ? SOURCE : LINE), dy: 10 }),
      // No point is there: larger models need larger patches.
      Plot.text([`● the source’s size\n○ the recipe’s model, at ${recipe.y} bytes per patch`], {
        ...{ frameAnchor: 'top-left', dx: 12, dy: 8, lineHeight: 1.5, fill: SOURCE },
      }),
      heading(title, -42, { fontSize: 15, fontWeight: 600 }),
      heading(subtitle, -24, {}),
    ],
  });
  return standaloneSvg(chart, HEIGHT);
}
