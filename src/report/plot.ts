/** @module Draws charts as SVG with Observable Plot, without a browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

const PLOT_WIDTH = 720;
/** The light background of the page's style sheet. */
const PAPER = '#fcfcfa';
const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';

/** What the report needs of an element of the DOM. */
export interface SvgElement {
  readonly outerHTML: string;
  readonly ownerDocument: { createElementNS(namespace: string, name: string): SvgElement };
  setAttribute(name: string, value: string): void;
  prepend(child: SvgElement): void;
}

/** An SVG element with a name for screen readers. */
export function drawPlot(title: string, options: Plot.PlotOptions): SvgElement {
  const { document } = parseHTML('<html><body></body></html>');
  const chart = Plot.plot({
    ...options,
    document: document as unknown as NonNullable<Plot.PlotOptions['document']>,
    width: PLOT_WIDTH,
  }) as unknown as SvgElement;
  chart.setAttribute('role', 'img');
  chart.setAttribute('aria-label', title);
  return chart;
}

/** The text of a file with a drawing on paper, which needs no page around it. */
export function standaloneSvg(chart: SvgElement, height: number): string {
  const paper = chart.ownerDocument.createElementNS(SVG_NAMESPACE, 'rect');
  const attributes = { width: PLOT_WIDTH, height, fill: PAPER };
  for (const [name, value] of Object.entries(attributes)) paper.setAttribute(name, String(value));
  chart.prepend(paper);
  chart.setAttribute('xmlns', SVG_NAMESPACE);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${chart.outerHTML}\n`;
}
