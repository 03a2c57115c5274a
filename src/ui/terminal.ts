/** @module Decides about colour and animation from the terminal and the environment. */

export interface OutputStream {
  readonly isTTY?: boolean | undefined;
  /** Width of the terminal; 0 where it was never set, as in some containers. */
  readonly columns?: number | undefined;
  write(text: string | Uint8Array): unknown;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** NO_COLOR (https://no-color.org) takes precedence, then FORCE_COLOR, then whether the stream is a terminal that is not dumb. */
export function usesColour(stream: OutputStream, env: Environment): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false') return true;
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/**
 * Whether a spinner can run: not in a pipe, in CI or on a dumb terminal, and not on a terminal of width 0, where ora would clear infinitely
 * many lines.
 */
export function canAnimate(stream: OutputStream, env: Environment): boolean {
  return stream.isTTY === true && stream.columns !== 0 && !isSet(env.CI) && env.TERM !== 'dumb';
}

/** Characters per line of a pipe, and of a terminal whose width was never set. */
const DEFAULT_COLUMNS = 80;

/** The width to which output is fitted, in characters. */
export function terminalColumns({ columns }: Pick<OutputStream, 'columns'>): number {
  return columns === undefined || columns === 0 ? DEFAULT_COLUMNS : columns;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
