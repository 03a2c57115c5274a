/** @module The report's page: one file without scripts, which works offline and on paper. */
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { sourceName } from '../release/index.js';
import { type Html, html, trusted } from './html.js';
import type { ModelReadings } from './model-readings.js';
import type { ReportInputs } from './report-inputs.js';
import { again } from './sections/again.js';
import { mapping } from './sections/mapping.js';
import { cutSentences, writtenSamples } from './sections/reading.js';
import type { Section } from './sections/section.js';
import { suites } from './sections/suites.js';
import { summary } from './sections/summary.js';
import { training } from './sections/training.js';

/** The path is the same from src/ and from dist/. */
const STYLE = new URL('../../assets/report/report.css', import.meta.url);

/** Forbids what the page does not need: scripts, and anything from elsewhere. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** @param readings null leaves out what needs the model */
export async function reportPage(inputs: ReportInputs, readings: ModelReadings | null): Promise<string> {
  const sections: readonly (Section | null)[] = [
    summary(inputs),
    training(inputs),
    suites(inputs),
    ...(readings === null ? [] : [cutSentences(readings), writtenSamples(readings)]),
    mapping(inputs.mapping),
    again(inputs),
  ];
  const present = sections.filter((section) => section !== null);
  const name = basename(resolve(inputs.dir));
  const style = trusted(await readFile(STYLE, 'utf8'));
  const links = present.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`);
  const bodies = present.map(
    ({ id, title, body }): Html => html`<section id="${id}"><h2>${title}</h2>\n${body}\n</section>\n`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${name} · byteify</title>
<style>${style}</style>
</head>
<body>
<header><h1>${name}</h1><p>A byte-level model made from ${sourceName(inputs.manifest) ?? 'a Llama'}.</p>
<nav aria-label="Sections"><ul>${links}</ul></nav></header>
<main>
${bodies}</main>
</body>
</html>
`.html;
}
