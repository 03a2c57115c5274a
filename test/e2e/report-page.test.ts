import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportInputs, reportPage } from '../../src/report/index.js';
import { openBrowser } from '../support/chromium.js';
import { withContrast } from '../support/contrast.js';
import { fabricateConversion } from '../support/fabricated-conversion.js';

const opened = await openBrowser();
if (typeof opened === 'string') console.warn(`The report’s page is not tested, as no Chromium runs here: ${opened}`);

/** The contrast of texts with the page, by their selectors. */
const CONTRASTS = withContrast(`const page = getComputedStyle(document.body).backgroundColor;
  return ['body', 'header p', 'nav a', 'dt', 'summary', '.note', 'figure svg text'].map((selector) => {
    const style = getComputedStyle(document.querySelector(selector));
    return [selector, contrast(selector.includes('svg') ? style.fill : style.color, page)];
  });`);

describe.skipIf(typeof opened === 'string')('the report’s page', () => {
  const work = mkdtempSync(join(tmpdir(), 'byteify-report-'));
  const complaints: string[] = [];
  let page: Page;

  beforeAll(async () => {
    if (typeof opened === 'string') return;
    await fabricateConversion(work);
    const readings = {
      sentences: [{ text: Buffer.from('A sentence.'), patches: [1, 10], entropies: [0.5, 5], tokens: [1, 9, 1] }],
      samples: [{ prompt: 'Once ', text: Buffer.from('upon a time') }],
      files: [],
    };
    const path = join(work, 'report.html');
    writeFileSync(path, await reportPage(await reportInputs(work), readings));
    const context = await opened.browser.newContext({ viewport: { width: 375, height: 812 } });
    page = await context.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (request.url() !== page.url()) complaints.push(request.url());
    });
    await page.goto(pathToFileURL(path).href);
  });
  afterAll(async () => {
    if (typeof opened !== 'string') await opened.close();
    rmSync(work, { recursive: true, force: true });
  });

  it('fits a phone, and asks for nothing', async () => {
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375);
    const places = await page.evaluate<number[]>(
      `[...document.querySelectorAll('figure svg')].map((svg) => svg.getBoundingClientRect().width)`,
    );
    for (const width of places) expect(width).toBeGreaterThan(200);
    expect(complaints.filter((text) => !text.startsWith('file:'))).toEqual([]);
  });

  it('opens its tables by the keyboard', async () => {
    await page.evaluate(`document.querySelector('figure summary').focus()`);
    await page.keyboard.press('Enter');
    expect(await page.evaluate(`document.querySelector('figure details').open`)).toBe(true);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(`document.activeElement.className`)).toBe('wide');
  });

  it('can be read in light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [selector, ratio] of await page.evaluate<[string, number][]>(CONTRASTS))
        expect(ratio, `${colorScheme} ${selector}`).toBeGreaterThan(4.5);
    }
  });

  it('prints in dark ink, without what only a screen can use', async () => {
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.evaluate(`getComputedStyle(document.querySelector('nav')).display`)).toBe('none');
    expect(await page.evaluate(`getComputedStyle(document.body).colorScheme`)).toBe('light');
  });
});
