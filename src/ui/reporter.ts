/** @module Reports progress on stderr: a spinner on a terminal, sparse plain lines in a log. */

import ora from 'ora';
import { humanDuration } from './format.js';
import { type Progress, progressLine } from './progress-line.js';
import { watchSpeed } from './speed.js';
import { canAnimate, type Environment, type OutputStream } from './terminal.js';

export interface Reporter {
  /** Begins a stage. A stage that is still open is closed as done. */
  stage(title: string): void;
  /** Reports the progress of the open stage. It may be called often, because the output is throttled. */
  progress(progress: Progress): void;
  /** Closes the open stage: `✔ title: summary (12 s)`. */
  done(summary?: string): void;
  /** Prints a permanent line, whether or not a stage is open. */
  note(text: string): void;
  /** Prints a warning in the same way. */
  warn(text: string): void;
  /** Clears the spinner, so that an error or a result can be printed. The stage does not count as done. */
  stop(): void;
}

export interface ReporterOptions {
  readonly stream: OutputStream & NodeJS.WritableStream;
  readonly env: Environment;
  /** Whether --json was given, which disables animation. */
  readonly json: boolean;
  /** Monotonic time in milliseconds; `performance.now` by default. */
  readonly now?: () => number;
}

/** Creates a spinner on a terminal that can animate, and plain lines elsewhere. */
export function createReporter(options: ReporterOptions): Reporter {
  const now = options.now ?? (() => performance.now());
  const animated = !options.json && canAnimate(options.stream, options.env);
  return animated ? spinnerReporter(options.stream, now) : plainReporter(options.stream, now);
}

type SpeedAt = ReturnType<typeof watchSpeed>;

/** A plain line is printed after this long without one, */
const PLAIN_MAX_INTERVAL_MS = 30_000;
/** or when another tenth of the work is done, but at most once per second. */
const PLAIN_PARTS = 10;
const PLAIN_MIN_INTERVAL_MS = 1_000;

function plainReporter(stream: OutputStream, now: () => number): Reporter {
  let open: { title: string; beganMs: number; lastMs: number; lastPart: number; speedAt: SpeedAt } | null = null;
  const line = (text: string) => void stream.write(`${text}\n`);
  const done = (summary?: string) => {
    if (open === null) return;
    line(doneLine(open.title, summary, now() - open.beganMs));
    open = null;
  };
  return {
    stage(title) {
      done();
      open = { title, beganMs: now(), lastMs: now(), lastPart: 0, speedAt: watchSpeed() };
      line(`${title} ...`);
    },
    progress(progress) {
      if (open === null) return;
      const speed = open.speedAt(progress.done, now());
      const part = progress.total ? Math.floor((PLAIN_PARTS * progress.done) / progress.total) : 0;
      const quietMs = now() - open.lastMs;
      const due = quietMs >= PLAIN_MAX_INTERVAL_MS || part > open.lastPart;
      if (!due || quietMs < PLAIN_MIN_INTERVAL_MS) return;
      open.lastMs = now();
      open.lastPart = part;
      line(`  ${open.title}: ${progressLine(progress, speed)}`);
    },
    done,
    note: line,
    warn: (text) => line(`warning: ${text}`),
    stop() {
      open = null;
    },
  };
}

/** ora redraws the terminal at its own rate, so formatting the text more often would be wasted. */
const SPINNER_INTERVAL_MS = 80;

function spinnerReporter(stream: NodeJS.WritableStream, now: () => number): Reporter {
  // discardStdin would put the terminal in raw mode and take Ctrl-C away from the signal handlers.
  const spinner = ora({ stream, discardStdin: false });
  let open: { title: string; beganMs: number; lastMs: number; speedAt: SpeedAt } | null = null;
  const done = (summary?: string) => {
    if (open === null) return;
    spinner.succeed(doneLine(open.title, summary, now() - open.beganMs));
    open = null;
  };
  const keep = (print: (text: string) => void, text: string) => {
    const spinning = spinner.isSpinning;
    const shown = spinner.text;
    print(text);
    if (spinning) spinner.start(shown);
  };
  return {
    stage(title) {
      done();
      open = { title, beganMs: now(), lastMs: 0, speedAt: watchSpeed() };
      spinner.start(title);
    },
    progress(progress) {
      if (open === null) return;
      const speed = open.speedAt(progress.done, now());
      if (now() - open.lastMs < SPINNER_INTERVAL_MS) return;
      open.lastMs = now();
      spinner.text = `${open.title}: ${progressLine(progress, speed)}`;
    },
    done,
    note: (text) => keep((shown) => spinner.info(shown), text),
    warn: (text) => keep((shown) => spinner.warn(shown), text),
    stop() {
      open = null;
      spinner.stop();
    },
  };
}

function doneLine(title: string, summary: string | undefined, elapsedMs: number): string {
  return `${title}: ${summary ?? 'done'} (${humanDuration(elapsedMs / 1000)})`;
}
