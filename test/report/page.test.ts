import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { beforeEach, describe, expect, it } from 'vitest';
import { html } from '../../src/report/html.js';
import { type ModelReadings, reportInputs, reportPage } from '../../src/report/index.js';
import { fabricateConversion } from '../support/fabricated-conversion.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
beforeEach(() => fabricateConversion(folder()));

const READINGS: ModelReadings = {
  sentences: [
    { text: Buffer.from('Ça va'), patches: [1, 2, 3], entropies: [2.5, 0.1, 9], tokens: [3, 3] },
    { text: Buffer.from('<i>'), patches: [3], entropies: [1], tokens: null },
  ],
  samples: [{ prompt: 'Once ', text: Uint8Array.of(0x75, 0xff) }],
  files: [],
};

async function pageOf(readings: ModelReadings | null) {
  const text = await reportPage(await reportInputs(folder()), readings);
  return { text, document: parseHTML(text).document };
}

describe('the page of a report', () => {
  it('shows what the conversion has: curves, suites, patches, samples, mapping, and how to make it again', async () => {
    const { document } = await pageOf(READINGS);
    const ids = [...document.querySelectorAll('main > section')].map(({ id }) => id);
    expect(ids).toEqual(['summary', 'training', 'evaluation', 'cost', 'patches', 'samples', 'mapping', 'again']);
    const links = [...document.querySelectorAll('nav a')].map((link) => link.getAttribute('href'));
    expect(links).toEqual(ids.map((id) => `#${id}`));
    // Two axes for each of three runs, and one chart per suite.
    const charts = [...document.querySelectorAll('figure')];
    expect(charts.length).toBe(8);
    for (const chart of charts) {
      expect(chart.querySelector('svg')!.getAttribute('aria-label')).toBe(
        chart.querySelector('figcaption')!.textContent,
      );
      expect(chart.querySelectorAll('details tbody tr').length).toBeGreaterThan(0);
    }
    expect(document.querySelector('#summary')!.textContent).toContain('80.0 %');
    expect(document.querySelector('#evaluation')!.textContent).toContain('1.400 to 1.600');
    const mapped = [...document.querySelectorAll('#mapping tbody tr')].map((row) => row.textContent);
    expect(mapped[0]).toBe('model.layers.*.qcopiedmodel.global.layers.*.q64 × 323');
    const commands = document.querySelector('#again')!.textContent;
    expect(commands).toContain('byteify convert');
    expect(commands).toContain(
      'byteify evaluate conversion --suite choice --against source --limit 100 --max-bytes 1048576 --seed 1\n',
    );
  });

  it('says how many items the source’s tokens do not spell', async () => {
    const path = join(folder(), 'evaluation', 'choice.json');
    const result = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...result, unspelled_count: 3 }));
    const { document } = await pageOf(null);
    expect(document.querySelector('#evaluation')!.textContent).toMatch(/3 items/);
  });

  it('shows files that the model continued: pictures, sounds, or bytes', async () => {
    const original = (head: string) => Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(60, 0xab)]);
    const files = [
      ['images', 'BM'],
      ['images', '\x89PNG\r\n'],
      ['sounds', 'RIFF\x01\x02\x03\x04WAVE'],
      ['other', '\0\x01'],
    ].map(([domain, head]) => ({
      domain: domain!,
      original: original(head!),
      promptBytes: 30,
      continued: original(head!).subarray(0, 40),
    }));
    const { document } = await pageOf({ ...READINGS, files });
    const rows = [...document.querySelectorAll('#files tbody tr')];
    expect(rows.map((row) => row.querySelector('td')!.textContent)).toEqual([
      'images 1',
      'images 2',
      'sounds 1',
      'other 1',
    ]);
    const sources = rows.map((row) => [...row.querySelectorAll('img, audio')].map((one) => one.getAttribute('src')!));
    expect(sources.map((two) => two.map((source) => source.slice(0, source.indexOf(';'))))).toEqual([
      ['data:image/bmp', 'data:image/bmp'],
      ['data:image/png', 'data:image/png'],
      ['data:audio/wav', 'data:audio/wav'],
      [],
    ]);
    const data = sources[0]![1]!.replace(/^.*base64,/, '');
    expect(Buffer.from(data, 'base64').equals(files[0]!.continued)).toBe(true);
    for (const shown of rows.flatMap((row) => [...row.querySelectorAll('img, audio')]))
      expect(shown.getAttribute('alt') ?? shown.getAttribute('aria-label')).toMatch(
        /the original|continued by the model/,
      );
    expect(rows[3]!.querySelectorAll('code')[1]!.textContent).toBe('ab '.repeat(10).trim());
    expect(rows[0]!.textContent).toContain('10 bytes written');
  });

  it('shows what a byte costs by part, beside the source if its sizes are known', async () => {
    const rowsOf = async () =>
      [...(await pageOf(null)).document.querySelectorAll('#cost tbody tr')].map((row) =>
        [...row.querySelectorAll('td, th')].map((cell) => cell.textContent),
      );
    const rows = await rowsOf();
    expect(rows.map(([who, part]) => `${who}: ${part}`)).toEqual([
      ...['patcher', 'encoder', 'latent global transformer', 'decoder', 'output layer', 'all'].map(
        (part) => `this model: ${part}`,
      ),
      ...['blocks', 'output layer', 'all'].map((part) => `the source: ${part}`),
    ]);
    const sum = rows.slice(0, 5).reduce((total, row) => total + Number(row[2]), 0);
    expect(Number(rows[5]![2])).toBeCloseTo(sum, 1);
    await rm(join(folder(), 'source'), { recursive: true });
    expect(await rowsOf()).toEqual(rows.slice(0, 6));
    await rm(join(folder(), 'init/config.json'));
    expect(await rowsOf()).toEqual([]);
  });

  it('names the suites that measured an earlier checkpoint', async () => {
    expect((await pageOf(null)).text).not.toContain('Measured before the last stage of training ended');
    const path = join(folder(), 'byteify.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    const before = { finished: '2000-01-01T00:00:00.000Z', model: 'm', source: null, items: 1 };
    const after = { ...before, finished: '2100-01-01T00:00:00.000Z' };
    await writeFile(path, JSON.stringify({ ...manifest, evaluations: { bpb: before, choice: after } }));
    expect((await pageOf(null)).text).toContain('Measured before the last stage of training ended: bpb.');
  });

  it('shows patches with the source’s tokens beneath, and bytes that form no character', async () => {
    const { document } = await pageOf(READINGS);
    const [first] = document.querySelectorAll('.sentence');
    expect([...first!.querySelectorAll('.patch')].map((patch) => patch.textContent)).toEqual([
      '\\xc3',
      '\\x87a',
      ' va',
    ]);
    expect([...first!.querySelectorAll('.token')].map((token) => token.textContent)).toEqual(['Ça', ' va']);
    const shares = [...first!.querySelectorAll('.patch')].map((patch) =>
      Number(/--share:(.*)/.exec(patch.getAttribute('style')!)![1]),
    );
    expect(shares[0]).toBeCloseTo(2.5 / Math.log(256), 3);
    expect(shares[2]).toBe(1);
    expect(document.querySelector('blockquote')!.textContent).toBe('Once u\\xff');
  });

  it('works offline, runs no scripts, and shows the conversion’s texts as they are', async () => {
    const { text, document } = await pageOf(READINGS);
    expect(document.querySelectorAll('script, link, img, iframe').length).toBe(0);
    expect(text).not.toContain('<i>&model');
    expect(document.querySelector('#summary')!.textContent).toContain('<i>&model');
    expect(text).not.toMatch(/(src|href)="(?!#)/);
    expect(text).not.toMatch(/url\(/);
    expect(document.querySelector('meta[http-equiv="Content-Security-Policy"]')!.getAttribute('content')).toContain(
      "default-src 'none'",
    );
  });

  it('leaves out what there is not', async () => {
    for (const part of ['run', 'patcher', 'init', 'evaluation']) await rm(join(folder(), part), { recursive: true });
    const { document } = await pageOf(null);
    expect([...document.querySelectorAll('main > section')].map(({ id }) => id)).toEqual(['summary', 'again']);
    await rm(join(folder(), 'byteify.json'));
    await expect(reportInputs(folder())).rejects.toThrow('is not a conversion');
  });
});

describe('html', () => {
  it('escapes texts, and takes HTML and lists of it as they are', () => {
    const inner = [html`<b>${'<'}</b>`, html`<i>${1}</i>`];
    expect(html`<p title="${`"'&`}">${inner}${null}</p>`.html).toBe(
      '<p title="&quot;&#39;&amp;"><b>&lt;</b><i>1</i></p>',
    );
  });
});
