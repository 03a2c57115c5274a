// Draws the chart of bench:distill as SVG: held-out bits per byte over floating-point operations, one line per arm, with means and ranges
// over the seeds.
const SIZE = { width: 930, height: 520 };
const FRAME = { left: 64, right: 260, top: 40, bottom: 56 };
const COLOURS = {
  A: '#333333',
  B: '#b07aa1',
  C: '#4e79a7',
  D: '#d62728',
  E: '#9c9c9c',
  F: '#f28e2b',
  G: '#59a14f',
  H: '#76b7b2',
  I: '#edc948',
  J: '#9c755f',
  K: '#ff9da7',
};

/** Bits per byte of a curve after `flops` operations, interpolated linearly; null before its first point. */
function at(curve, flops) {
  const after = curve.findIndex((point) => point.flops >= flops);
  if (after < 0) return curve.at(-1).bits_per_byte;
  if (after === 0) return curve[0].flops === flops ? curve[0].bits_per_byte : null;
  const [a, b] = [curve[after - 1], curve[after]];
  const share = b.flops === a.flops ? 1 : (flops - a.flops) / (b.flops - a.flops);
  return a.bits_per_byte + share * (b.bits_per_byte - a.bits_per_byte);
}

const POINTS = 80;

export function drawChart({ arms, source_bits_per_byte: source, budget_flops: budget }) {
  const plot = { width: SIZE.width - FRAME.left - FRAME.right, height: SIZE.height - FRAME.top - FRAME.bottom };
  const series = arms.map(({ arm, name, curves }) => {
    const points = Array.from({ length: POINTS + 1 }, (_, i) => (budget * i) / POINTS)
      .map((flops) => ({ flops, values: curves.map(({ curve }) => at(curve, flops)) }))
      .filter(({ values }) => values.every((value) => value !== null));
    return { arm, name, points };
  });
  const ends = series.flatMap(({ points }) => points.at(-1)?.values ?? []);
  const low = Math.floor(5 * Math.min(source, ...ends) - 0.25) / 5;
  const high = Math.ceil(5 * (Math.max(...ends) + 0.9)) / 5;
  const x = (flops) => FRAME.left + (plot.width * flops) / budget;
  const y = (bits) => FRAME.top + plot.height * (1 - (bits - low) / (high - low));
  const text = (px, py, content, extra = '') =>
    `<text x="${px.toFixed(1)}" y="${py.toFixed(1)}" ${extra}>${content}</text>`;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const parts = [];
  for (let bits = low; bits <= high + 1e-9; bits += 0.2) {
    parts.push(
      `<line x1="${FRAME.left}" x2="${FRAME.left + plot.width}" y1="${y(bits).toFixed(1)}" y2="${y(bits).toFixed(1)}" stroke="#e4e4e4"/>`,
    );
    parts.push(text(FRAME.left - 8, y(bits) + 4, bits.toFixed(1), 'text-anchor="end"'));
  }
  for (let i = 0; i <= 5; i++)
    parts.push(
      text(
        x((budget * i) / 5),
        SIZE.height - FRAME.bottom + 20,
        ((budget * i) / 5e12).toFixed(1),
        'text-anchor="middle"',
      ),
    );
  parts.push(
    text(
      FRAME.left + plot.width / 2,
      SIZE.height - 14,
      'TFLOP, including the source’s forward passes',
      'text-anchor="middle"',
    ),
  );
  parts.push(text(FRAME.left, 22, 'Held-out bits per byte of the BLT, cut by its own patcher', 'font-weight="bold"'));
  parts.push(
    `<line x1="${FRAME.left}" x2="${FRAME.left + plot.width}" y1="${y(source).toFixed(1)}" y2="${y(source).toFixed(1)}" stroke="#333" stroke-dasharray="5 4"/>`,
  );
  parts.push(text(FRAME.left + 6, y(source) - 6, `the source, ${source.toFixed(3)}`, 'fill="#333"'));
  for (const { arm, points } of series) {
    const upper = points.map(({ flops, values }) => `${x(flops).toFixed(1)},${y(Math.max(...values)).toFixed(1)}`);
    const lower = points
      .map(({ flops, values }) => `${x(flops).toFixed(1)},${y(Math.min(...values)).toFixed(1)}`)
      .reverse();
    parts.push(
      `<polygon points="${[...upper, ...lower].join(' ')}" fill="${COLOURS[arm]}" opacity="0.13" clip-path="url(#plot)"/>`,
    );
    const line = points.map(({ flops, values }) => `${x(flops).toFixed(1)},${y(mean(values)).toFixed(1)}`);
    parts.push(
      `<polyline points="${line.join(' ')}" fill="none" stroke="${COLOURS[arm]}" stroke-width="2" clip-path="url(#plot)"/>`,
    );
  }
  // Each name is at the end of its curve, shifted down if it would overlap the name above.
  const labels = series
    .map(({ arm, name, points }) => ({ arm, name, at: y(mean(points.at(-1).values)) }))
    .sort((a, b) => a.at - b.at);
  labels.forEach((label, i) => {
    if (i > 0) label.at = Math.max(label.at, labels[i - 1].at + 17);
  });
  // No name is below the frame: the lowest one is shifted up, and the others as far as necessary.
  let lowest = FRAME.top + plot.height;
  for (const label of [...labels].reverse()) {
    label.at = Math.min(label.at, lowest);
    lowest = label.at - 17;
  }
  for (const { arm, name, at: height } of labels)
    parts.push(text(FRAME.left + plot.width + 8, height + 4, `${arm}  ${name}`, `fill="${COLOURS[arm]}"`));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="12" fill="#444">
<title>Held-out bits per byte over floating-point operations, one line per arm</title>
<clipPath id="plot"><rect x="${FRAME.left}" y="${FRAME.top}" width="${plot.width}" height="${plot.height}"/></clipPath>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}
