/** @module A bar chart for stdout: plain characters without colour, no wider than the terminal. */

export interface Bar {
  readonly label: string;
  /** At least 0. */
  readonly value: number;
  /** The value as shown after the bar. */
  readonly text: string;
  /** Drawn with another character. */
  readonly isMarked: boolean;
}

const SHORTEST = 8;
const [FILL, MARKED_FILL] = ['#', '*'];
const GAP = '  ';

/**
 * One line per bar, the longest as long as the line allows; ends with a newline.
 * @param columns width of the terminal; where labels and values leave too little of it, lines are longer
 * @example renderBars([{ label: '128', value: 2, text: '2.00', isMarked: true }], 40)
 */
export function renderBars(bars: readonly Bar[], columns: number): string {
  const labels = Math.max(0, ...bars.map(({ label }) => [...label].length));
  const texts = Math.max(0, ...bars.map(({ text }) => [...text].length));
  const longest = Math.max(SHORTEST, columns - labels - texts - 2 * GAP.length);
  const most = Math.max(0, ...bars.map(({ value }) => value));
  return bars
    .map(({ label, value, text, isMarked }) => {
      const length = most === 0 ? 0 : Math.round((value / most) * longest);
      return `${label.padStart(labels)}${GAP}${(isMarked ? MARKED_FILL : FILL).repeat(length)}${GAP}${text}\n`;
    })
    .join('');
}
