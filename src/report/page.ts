/** @module The report's page: one file without scripts, which works offline and on paper. */
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { sourceName } from '../release/index.js';
import { comparisonBody } from './comparison.js';
import { type Html, html, trusted } from './html.js';
import type { ModelReadings } from './model-readings.js';
import type { ReportInputs } from './report-inputs.js';
import { again } from './sections/again.js';
import { continuedFiles } from './sections/byte-samples.js';
import { cost } from './sections/cost.js';
import { mapping } from './sections/mapping.js';
import { cutSentences, writtenSamples } from './sections/reading.js';
import type { Section } from './sections/section.js';
import { suites } from './sections/suites.js';
import { summary } from './sections/summary.js';
import { training } from './sections/training.js';

/** The path is the same from src/ and from dist/. */
const STYLE = new URL('../../assets/report/report.css', import.meta.url);

/** Forbids what the page does not need: scripts, and anything from elsewhere. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:";

interface Shell {
  readonly title: string;
  readonly subtitle: string;
  readonly nav: Html | null;
  readonly body: Html;
  /** Seconds after which a browser loads the page again; null for never. */
  readonly reloadSeconds: number | null;
}

async function shell({ title, subtitle, nav, body, reloadSeconds }: Shell): Promise<string> {
  const style = trusted(await readFile(STYLE, 'utf8'));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
${reloadSeconds === null ? null : html`<meta http-equiv="refresh" content="${reloadSeconds}">\n`}<title>${title} · byteify</title>
<style>${style}</style>
</head>
<body>
<header><h1>${title}</h1><p>${subtitle}</p>
${nav}</header>
<main>
${body}</main>
</body>
</html>
`.html;
}

/** @param readings null leaves out what needs the model @param options.reloadSeconds see `Shell` */
export async function reportPage(
  inputs: ReportInputs,
  readings: ModelReadings | null,
  { reloadSeconds = null }: Partial<Pick<Shell, 'reloadSeconds'>> = {},
): Promise<string> {
  const sections: readonly (Section | null)[] = [
    summary(inputs),
    training(inputs),
    suites(inputs),
    cost(inputs),
    ...(readings === null ? [] : [cutSentences(readings), writtenSamples(readings), continuedFiles(readings.files)]),
    mapping(inputs.mapping),
    again(inputs),
  ];
  const present = sections.filter((section) => section !== null);
  const links = present.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`);
  const bodies = present.map(
    ({ id, title, body }) => html`<section id="${id}"><h2>${title}</h2>\n${body}\n</section>\n`,
  );
  return await shell({
    title: basename(resolve(inputs.dir)),
    subtitle: `A byte-level model made from ${sourceName(inputs.manifest) ?? 'a Llama'}.`,
    nav: html`<nav aria-label="Sections"><ul>${links}</ul></nav>`,
    body: html`${bodies}`,
    reloadSeconds,
  });
}

/** The page that compares conversions. */
export const comparisonPage = (inputs: readonly ReportInputs[]): Promise<string> =>
  shell({
    title: 'Conversions side by side',
    subtitle: `${inputs.length} conversions.`,
    nav: null,
    body: comparisonBody(inputs),
    reloadSeconds: null,
  });
