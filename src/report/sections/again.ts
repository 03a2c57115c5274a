/** @module Section "Make it again": the inputs, the recipe and the commands. */
import { parse } from 'yaml';
import { type ResultDocument, SUITES } from '../../evaluate/index.js';
import { dataWords, recipeSchema } from '../../recipe/index.js';
import { lastPart, sourceName } from '../../release/index.js';
import { humanBytes, shellWord } from '../../ui/index.js';
import { html, htmlTable } from '../html.js';
import type { ReportInputs } from '../report-inputs.js';
import type { Section } from './section.js';

/** The command that gave a suite's results. Settings that have their defaults are left out. */
function evaluateCommand({ suite, source, options }: ResultDocument): string {
  const { data, limit, max_bytes: maxBytes, seed, settings } = options;
  const defaults = SUITES.find(({ name }) => name === suite)?.settings ?? {};
  const words = [
    ...['byteify', 'evaluate', 'conversion', '--suite', suite],
    ...(data.length > 0 ? ['--data', ...data] : []),
    ...(source === null ? [] : ['--against', source.name]),
    ...['--limit', `${limit}`, '--max-bytes', `${maxBytes}`, '--seed', `${seed}`],
    ...Object.entries(settings).flatMap(([key, value]) =>
      defaults[key] === value ? [] : ['--set', `${suite}.${key}=${value}`],
    ),
  ];
  return words.map(shellWord).join(' ');
}

/** The words after `--data`, in which capitals stand for files. */
function dataOf(recipe: string | null): string {
  const parsed = recipe === null ? null : recipeSchema.safeParse(parse(recipe));
  return parsed?.success ? dataWords(parsed.data, (name) => name.toUpperCase()).join(' ') : 'TEXT';
}

export function again({ manifest, recipe, results }: ReportInputs): Section {
  const { revision, byteify, stages, adapted_from: adapted } = manifest;
  const source = `${sourceName(manifest) ?? 'SOURCE'}${revision === null ? '' : `@${revision}`}`;
  const commands = [
    `byteify ${adapted === undefined ? `convert ${shellWord(source)}` : `adapt ${shellWord(lastPart(adapted.model))}`} --recipe recipe.yaml --data ${dataOf(recipe)} --out conversion`,
    ...results.map(evaluateCommand),
    'byteify report conversion',
  ];
  const files = Object.values(stages).flatMap((stage) => stage.files);
  const unique = [...new Map(files.map((file) => [file.path, file])).values()];
  const rows = unique.map(({ path, size_bytes: size, sha256 }) => [lastPart(path), humanBytes(size), sha256]);
  return {
    id: 'again',
    title: 'Make it again',
    body: html`<p>Made with byteify ${byteify}. Names in capitals stand for the training data, whose files are listed below.</p>
<pre><code>${commands.join('\n')}</code></pre>
${recipe === null ? null : html`<details><summary>recipe.yaml</summary><pre><code>${recipe}</code></pre></details>`}
${rows.length === 0 ? null : html`<details><summary>Files that were read</summary>${htmlTable(['file', 'size', 'SHA-256'], rows, ['left', 'right', 'left'])}</details>`}`,
  };
}
