/** @module Sections "Patches" and "Samples": sentences as the model cuts them, with the source's cuts beneath, and texts that it wrote. */
import { createShownText, escapedByte } from '../../generate/index.js';
import { type Html, html } from '../html.js';
import type { CutSentence, ModelReadings, Sample } from '../model-readings.js';
import type { Section } from './section.js';

/** Nats: no prediction of a byte is less certain. */
const HIGHEST = Math.log(256);

function shownBytes(bytes: Uint8Array): string {
  const shown = createShownText(escapedByte);
  return shown.push(bytes) + shown.end();
}

/** Stretches of a text. A character that is cut stands as its bytes. */
function stretches(text: Uint8Array, lengths: readonly number[]): string[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return shownBytes(text.subarray(at - length, at));
  });
}

function sentence({ text, patches, entropies, tokens }: CutSentence): Html {
  const cut = stretches(text, patches).map((part, i) => {
    const nats = entropies[i]!;
    const share = Math.min(1, Math.max(0, nats / HIGHEST)).toFixed(3);
    return html`<span class="patch" style="--share:${share}" title="${patches[i]!} bytes, ${nats.toFixed(2)} nats">${part}</span>`;
  });
  const own = tokens === null ? null : stretches(text, tokens).map((part) => html`<span class="token">${part}</span>`);
  const beneath = own === null ? null : html`<div class="tokens" aria-label="tokens of the source">${own}</div>`;
  const counts =
    tokens === null ? `${patches.length} patches` : `${patches.length} patches, ${tokens.length} tokens of the source`;
  return html`<div class="sentence">
<div class="patches" aria-label="patches">${cut}</div>
${beneath}
<p class="note">${counts}</p>
</div>\n`;
}

export const cutSentences = ({ sentences }: ModelReadings): Section => ({
  id: 'patches',
  title: 'Patches',
  body: html`<p>Each patch in the colour of the entropy, in nats, at its first byte: the darker, the less certain. Beneath, the source’s tokens.</p>
${sentences.map(sentence)}`,
});

const sample = ({ prompt, text }: Sample): Html =>
  html`<blockquote><p><b>${prompt}</b>${shownBytes(text)}</p></blockquote>\n`;

export const writtenSamples = ({ samples }: ModelReadings): Section => ({
  id: 'samples',
  title: 'Samples',
  body: html`<p>Written after the bold text, at temperature 0.7, each by its own seed; not chosen.</p>${samples.map(sample)}`,
});
