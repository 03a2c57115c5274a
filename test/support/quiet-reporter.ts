/** A reporter that prints nothing. */
import type { Reporter } from '../../src/ui/index.js';

const nothing = () => undefined;

/** @param heard methods that a test listens to */
export const quietReporter = (heard: Partial<Reporter> = {}): Reporter => ({
  stage: nothing,
  progress: nothing,
  done: nothing,
  note: nothing,
  warn: nothing,
  stop: nothing,
  ...heard,
});
