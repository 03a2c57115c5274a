/** @module Draws charts as SVG with Observable Plot, without a browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

export const PLOT_WIDTH = 720;

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
