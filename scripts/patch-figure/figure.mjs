// Draws the README's picture as SVG: one text as a Llama reads it in tokens and as a BLT reads it in patches.

/**
 * @typedef {object} FigureData
 * @property {string} text of one byte per character
 * @property {readonly string[]} tokens of the source's tokenizer, which concatenate to the text
 * @property {readonly number[]} patch_lengths in bytes, without the patch of BOS; their sum is the length of the text
 * @property {readonly number[]} entropy_nats of the prediction of each byte
 * @property {number} threshold_nats above which a byte begins a patch
 */

const WIDTH = 1000;
const HEIGHT = 410;
/** The width of one character's cell. */
const CELL = 17;
/** The left edges of the panels. */
const PANELS = { llama: 28, blt: 544 };
/** Both panels show the transformer layers at the same height, since they are the same layers. */
const LAYERS = { y: 226, height: 64 };
const BAR_HEIGHT = 56;
const MAX_NATS = 4;

/** GitHub's colours for light and dark. The background is drawn too, since the page may not follow the same setting as the picture. */
const STYLE = `
  .page { fill: #ffffff }
  .label { font: 600 15px system-ui, sans-serif; fill: #1f2328 }
  .note { font: 13px system-ui, sans-serif; fill: #59636e }
  .char { font: 15px ui-monospace, monospace; fill: #1f2328; text-anchor: middle }
  .in { text-anchor: middle }
  .unit { fill: #ddf4ff; stroke: #0969da }
  .layers { fill: #fff8c5; stroke: #9a6700 }
  .local { fill: #dafbe1; stroke: #1a7f37 }
  .bar { fill: #8250df }
  .line { stroke: #59636e; fill: none }
  .copy { stroke: #9a6700; stroke-width: 2; fill: none }
  .threshold { stroke: #cf222e; stroke-dasharray: 4 3 }
  .tip { fill: #59636e }
  .copy-tip { fill: #9a6700 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 }
    .label, .char { fill: #f0f6fc }
    .note { fill: #9198a1 }
    .unit { fill: #0c2d57; stroke: #4493f8 }
    .layers { fill: #3b2300; stroke: #d29922 }
    .local { fill: #04260f; stroke: #3fb950 }
    .bar { fill: #ab7df8 }
    .line { stroke: #9198a1 }
    .copy { stroke: #d29922 }
    .threshold { stroke: #f85149 }
    .tip { fill: #9198a1 }
    .copy-tip { fill: #d29922 }
  }`;

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text) => text.replaceAll(/[&<>]/g, (character) => ENTITIES[character]);
const text = (x, y, style, content) => `<text x="${x}" y="${y}" class="${style}">${escaped(content)}</text>`;
const box = (x, y, width, height, style) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" class="${style}"/>`;
const arrow = (x, from, to, style = 'line', tip = 'tip') =>
  `<path d="M${x} ${from}V${to - 5}" class="${style}"/><path d="M${x - 4} ${to - 6}h8l-4 6z" class="${tip}"/>`;

/** The beginnings and ends of consecutive parts of the text, in cells. */
function spans(lengths) {
  let to = 0;
  return lengths.map((length) => {
    to += length;
    return { from: to - length, length, to };
  });
}

/** Parts of the text in boxes. A space is drawn as ␣, so that it is visible at an edge. */
function units(left, y, content, lengths) {
  return spans(lengths).flatMap(({ from, length }) => [
    box(left + from * CELL + 1.5, y, length * CELL - 3, 28, 'unit'),
    ...[...content.slice(from, from + length)].map((character, i) =>
      text(left + (from + i + 0.5) * CELL, y + 19, 'char', character === ' ' ? '␣' : character),
    ),
  ]);
}

/** An arrow under the middle of each part. */
const arrowsUnder = (left, from, to, lengths) =>
  spans(lengths).map((span) => arrow(left + ((span.from + span.to) / 2) * CELL, from, to));

function labelled(left, { y, height }, width, style, label, note) {
  const middle = left + width / 2;
  return [
    box(left, y, width, height, style),
    text(middle, y + height / 2 - 2, 'label in', label),
    text(middle, y + height / 2 + 14, 'note in', note),
  ];
}

function llamaPanel({ text: content, tokens }) {
  const left = PANELS.llama;
  const width = content.length * CELL;
  const lengths = tokens.map((token) => token.length);
  const bottom = LAYERS.y + LAYERS.height;
  return [
    text(left, 26, 'label', `A Llama reads ${tokens.length} tokens`),
    text(left, 46, 'note', 'as its vocabulary spells them'),
    ...units(left, 174, content, lengths),
    ...arrowsUnder(left, 202, LAYERS.y, lengths),
    ...labelled(left, LAYERS, width, 'layers', 'transformer layers', 'one step per token'),
    arrow(left + width / 2, bottom, bottom + 34),
    text(left + width / 2, bottom + 52, 'label in', 'next token'),
  ];
}

/** The entropy of each byte's prediction, a bar above its cell, and the threshold above which it begins a patch. */
function entropyBars(left, { entropy_nats: nats, threshold_nats: threshold }) {
  const base = 116;
  const heightOf = (value) => (Math.min(value, MAX_NATS) / MAX_NATS) * BAR_HEIGHT;
  const rounded = (value) => Math.round(value * 10) / 10;
  const line = rounded(base - heightOf(threshold));
  return [
    ...nats.map((value, i) => {
      const height = rounded(heightOf(value));
      return `<rect x="${left + i * CELL + 4}" y="${rounded(base - height)}" width="${CELL - 8}" height="${height}" class="bar"/>`;
    }),
    `<path d="M${left - 6} ${line}H${left + nats.length * CELL}" class="threshold"/>`,
  ];
}

function bltPanel(data) {
  const { text: content, patch_lengths: lengths } = data;
  const left = PANELS.blt;
  const width = content.length * CELL;
  const bottom = LAYERS.y + LAYERS.height;
  const encoder = { y: 120, height: 40 };
  const decoder = { y: bottom + 22, height: 40 };
  return [
    text(left, 26, 'label', `The BLT made from it reads ${content.length} bytes in ${lengths.length} patches`),
    text(left, 46, 'note', 'a patch begins at a byte that is hard to predict (bars: entropy)'),
    ...entropyBars(left, data),
    ...labelled(left, encoder, width, 'local', 'local encoder', 'one small step per byte'),
    ...arrowsUnder(left, 160, 174, lengths),
    ...units(left, 174, content, lengths),
    ...arrowsUnder(left, 202, LAYERS.y, lengths),
    ...labelled(left, LAYERS, width, 'layers', 'latent global transformer', 'one step per patch'),
    ...arrowsUnder(left, bottom, bottom + 22, lengths),
    ...labelled(left, decoder, width, 'local', 'local decoder', 'one small step per byte'),
    arrow(left + width / 2, decoder.y + 40, decoder.y + 62),
    text(left + width / 2, decoder.y + 80, 'label in', 'next byte'),
  ];
}

/** The arrow between the panels, which shows that the layers are copied. */
function copied(content) {
  const [from, to] = [PANELS.llama + content.length * CELL + 6, PANELS.blt - 6];
  const y = LAYERS.y + LAYERS.height / 2;
  return [
    `<path d="M${from} ${y}H${to - 8}" class="copy"/>`,
    `<path d="M${to - 9} ${y - 5}v10l9 -5z" class="copy-tip"/>`,
    text((from + to) / 2, y - 8, 'note in', 'copied'),
  ];
}

/**
 * @param {FigureData} data
 * @returns {string} an SVG document for light and dark backgrounds
 */
export function patchFigure(data) {
  const lines = [...llamaPanel(data), ...bltPanel(data), ...copied(data.text)];
  const title = `The text “${data.text}” as ${data.tokens.length} tokens of a Llama and as ${data.patch_lengths.length} patches of the BLT made from it`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}
</style>
<rect width="${WIDTH}" height="${HEIGHT}" rx="8" class="page"/>
${lines.join('\n')}
</svg>
`;
}
