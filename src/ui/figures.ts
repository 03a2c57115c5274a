/** @module Formats measured figures and their intervals. */

/** A figure and the interval that contains it; null where it is undetermined. */
export interface Figure {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export interface FigureFormat {
  readonly decimals: number;
  /** Whether it is a fraction, shown in per cent. */
  readonly percent: boolean;
}

/** How shares of a source's figures are shown. */
export const RETENTION_FORMAT: FigureFormat = { decimals: 1, percent: true };

/** The figure, `12.3 %`, and its interval, `10.1 to 14.5`; each may be empty. */
export function figureText(
  figure: Figure | null,
  { decimals, percent }: FigureFormat,
): { readonly value: string; readonly interval: string } {
  const text = (value: number) => (percent ? 100 * value : value).toFixed(decimals);
  if (figure === null || figure.value === null) return { value: '', interval: '' };
  const { value, low, high } = figure;
  const interval = low === null || high === null ? '' : `${text(low)} to ${text(high)}`;
  return { value: `${text(value)}${percent ? ' %' : ''}`, interval };
}
