import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from '../support/chromium.js';
import { withContrast } from '../support/contrast.js';
import { roomyGolden } from '../support/roomy-golden.mjs';
import { type Serving, startServing } from '../support/serving.js';

/** The contrast of each colour of the legend, and of patches, with the text on it. */
const CONTRASTS = withContrast(`return [...document.querySelectorAll('.scale i, .patch')].map((swatch) => {
    const { color, backgroundColor } = getComputedStyle(swatch);
    return contrast(color, backgroundColor);
  });`);

const KEY = 'a-key-of-the-test';
const opened = await openBrowser();
if (typeof opened === 'string') console.warn(`The demo page is not tested, as no Chromium runs here: ${opened}`);

describe.skipIf(typeof opened === 'string')('the demo page', () => {
  const work = mkdtempSync(join(tmpdir(), 'byteify-page-'));
  let server: Serving;
  let page: Page;
  /** The browser's errors and warnings, including blocked content. */
  const complaints: string[] = [];
  const asked: string[] = [];

  beforeAll(async () => {
    if (typeof opened === 'string') return;
    server = await startServing([roomyGolden(work), '--slots', '2'], { BYTEIFY_API_KEY: KEY });
    const context = await opened.browser.newContext({ viewport: { width: 375, height: 812 }, colorScheme: 'dark' });
    page = await context.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(server.url);
  });
  afterAll(async () => {
    if (typeof opened !== 'string') await opened.close();
    server?.child.kill('SIGKILL');
    await server?.finished;
    rmSync(work, { recursive: true, force: true });
  });

  const text = (id: string) => page.textContent(`#${id}`);
  const idle = () => page.waitForSelector('#write:enabled');
  // Code that runs in the page is a string, because its types are not Node's.
  const patches = () =>
    page.evaluate<{ nats: number; colour: string }[]>(`
      [...document.querySelectorAll('.patch')].map((span) => ({
        nats: Number(span.dataset.nats),
        colour: getComputedStyle(span).backgroundColor,
      }))`);
  const written = (bytes: number) =>
    expect
      .poll(async () => Number(await text('count')), { interval: 20, timeout: 20_000 })
      .toBeGreaterThanOrEqual(bytes);

  it('asks for the key if there is one', async () => {
    await page.waitForSelector('#key:visible');
    await page.click('#write');
    await page.waitForSelector('#error:not(:empty)');
    expect(await text('error')).toContain('A key is needed');
    complaints.length = 0;
    await page.fill('#key', KEY);
  });

  it('shows text as it is generated, patch by patch, with its speed', async () => {
    await page.fill('#prompt', 'The byte is');
    await page.fill('#bytes', '600');
    await page.fill('#seed', '7');
    await page.fill('#temperature', '0');
    await page.click('#write');
    await written(20);
    expect(await page.getAttribute('#text', 'aria-busy')).toBe('true');
    const soon = (await patches()).length;
    await idle();
    expect(await text('count')).toBe('600');
    expect(await text('state')).toBe('As many bytes as were asked for: 600. Seed 7.');
    expect(Number(await text('rate'))).toBeGreaterThan(0);
    expect(await text('error')).toBe('');
    const shown = await patches();
    expect(shown.length).toBeGreaterThan(soon);
    expect(Number(await text('patch-size'))).toBeCloseTo(600 / shown.length, 2);
  });

  it('colours the server’s patches by the entropy at their first byte', async () => {
    const response = await fetch(`${server.url}/v1/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${KEY}` },
      body: JSON.stringify({
        ...{ prompt: 'The byte is', max_tokens: 600, temperature: 0, byteify: { patches: true } },
      }),
    });
    const { choices } = (await response.json()) as {
      choices: { byteify: { entropy_nats: number[]; begins_patch: boolean[] } }[];
    };
    const { entropy_nats: nats, begins_patch: begins } = choices[0]!.byteify;
    const firsts = nats.filter((_, i) => i === 0 || begins[i]);
    const shown = await patches();
    expect(shown.map((patch) => patch.nats)).toEqual(firsts.map((value) => Number(value.toFixed(2))));
    const colours = new Map(shown.map((patch) => [patch.nats, patch.colour]));
    expect(new Set(colours.values()).size).toBeGreaterThan(1);
  });

  it('stops on request, and frees the slot', async () => {
    await page.fill('#bytes', '4096');
    await page.click('#write');
    await written(5);
    await page.click('#stop');
    await idle();
    expect(await text('state')).toMatch(/^Stopped after \d+ bytes\. Seed 7\.$/);
    await expect
      .poll(async () => ((await (await fetch(`${server.url}/health`)).json()) as { running: number }).running)
      .toBe(0);
  });

  it('replies to a message if the model has a template', async () => {
    await page.check('#chat');
    await page.fill('#bytes', '30');
    await page.click('#write');
    await idle();
    expect(await text('error')).toBe('');
    expect(await page.$('#text .prompt')).toBeNull();
    expect(asked.at(-1)).toBe(`${server.url}/v1/chat/completions`);
  });

  it('shows the surprisal of each character when asked, of the prompt too', async () => {
    await page.uncheck('#chat');
    await page.check('#surprisal');
    await page.fill('#prompt', 'Ça va');
    await page.fill('#bytes', '20');
    await page.click('#write');
    await idle();
    expect(await text('error')).toBe('');
    const response = await fetch(`${server.url}/v1/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ prompt: 'Ça va', max_tokens: 0, echo: true, logprobs: 0 }),
    });
    const { choices } = (await response.json()) as { choices: { logprobs: { token_logprobs: number[] } }[] };
    const [, first, second, ...rest] = choices[0]!.logprobs.token_logprobs.map((value) => -value);
    const shown = (await patches()).map(({ nats }) => nats);
    // The first character has two bytes.
    const wanted = [first! + second!, ...rest];
    wanted.forEach((value, i) => {
      expect(shown[i]).toBeCloseTo(value, 1);
    });
    expect(shown.length).toBeGreaterThan(wanted.length);
    await page.uncheck('#surprisal');
  });

  it('fits a phone, labels its inputs, contacts no other server, and logs no errors', async () => {
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375);
    const unlabelled = await page.evaluate(`
      [...document.querySelectorAll('input, textarea, button')]
        .filter((control) => (control.labels?.length ?? 0) === 0 && control.textContent === '')
        .map(({ id }) => id)`);
    expect(unlabelled).toEqual([]);
    expect([...new Set(asked.map((url) => new URL(url).origin))]).toEqual([server.url]);
    expect(complaints).toEqual([]);
  });

  it('has enough contrast for text on every colour, light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const ratios = await page.evaluate<number[]>(CONTRASTS);
      expect(ratios.length).toBeGreaterThan(6);
      for (const ratio of ratios) expect(ratio, colorScheme).toBeGreaterThan(4.5);
    }
  });
});
