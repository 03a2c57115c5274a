import { DOMParser } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { bltConfigFor, deriveLocalSizes } from '../../src/blt/index.js';
import { scaleAt } from '../../src/plan/index.js';
import { scaleChart } from '../../src/report/scale-chart.js';
import { SMOLLM2 } from '../support/smollm2.js';

const config = bltConfigFor(SMOLLM2, deriveLocalSizes(SMOLLM2));
const scale = scaleAt({ config, text: { bytes: 1024, bytesPerPatch: 4.5 }, budget: null, patchSizes: [] });

describe('the chart of a scale', () => {
  it('is a file that stands alone: it names what it shows, and needs neither a page nor a font', () => {
    const file = scaleChart(scale, { model: 'a <model> & more' });
    expect(file).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(file).not.toMatch(/var\(--(?!plot)|<script|href=|<html/);
    const document = new DOMParser().parseFromString(file, 'image/svg+xml');
    const texts = [...document.querySelectorAll('text')].map(({ textContent }) => textContent);
    expect(texts).toContain('parameters of the global transformer, millions');
    expect(texts).toContain('mean bytes per patch');
    expect(texts.join('\n')).toContain('Patch size against model size at');
    expect(texts.join('\n')).toContain('a <model> & more');
    const [paper] = document.querySelectorAll('svg > *');
    expect([paper!.localName, paper!.getAttribute('width'), paper!.getAttribute('fill')]).toEqual([
      'rect',
      '720',
      '#fcfcfa',
    ]);
  });

  it('has a point for each size with a patch size, labelled, and a ring around the recipe’s own', () => {
    const document = new DOMParser().parseFromString(scaleChart(scale, { model: 'm' }), 'image/svg+xml');
    const circles = [...document.querySelectorAll('circle')];
    expect(circles).toHaveLength(scale.sizes.length + 2);
    const marked = circles.filter((circle) => circle.getAttribute('r') === '6');
    expect(marked).toHaveLength(1);
    const ring = circles.find((circle) => circle.getAttribute('r') === '9')!;
    for (const at of ['cx', 'cy'])
      expect(Number(ring.getAttribute(at))).toBeCloseTo(Number(marked[0]!.getAttribute(at)), 6);
    const texts = [...document.querySelectorAll('text')].map(({ textContent }) => textContent);
    for (const { size } of scale.sizes) expect(texts).toContain(`${size.hiddenSize} × ${size.layers}`);
  });
});
