/**
 * @module A time limit for work that depends on a model's file: an expression such as `(a+)+$` can practically run forever. V8 can interrupt a
 * script that runs under a limit, even inside a regular expression; nothing else on this thread could.
 */
import { createContext, Script } from 'node:vm';

interface Sandbox {
  work: () => void;
}

const sandbox = createContext({ work: () => undefined } satisfies Sandbox) as unknown as Sandbox;
const script = new Script('work()');

/**
 * Runs synchronous work on this thread, with an overhead of about 70 µs.
 * @param onLate throws the error for a timeout; whatever the work was changing is then in an unknown state.
 */
export function withinDeadline<T>(work: () => T, timeoutMs: number, onLate: () => never): T {
  let done: { readonly value: T } | null = null;
  sandbox.work = () => {
    done = { value: work() };
  };
  try {
    script.runInContext(sandbox as object, { timeout: timeoutMs });
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return onLate();
    throw error;
  } finally {
    sandbox.work = () => undefined;
  }
  return (done as { readonly value: T } | null)!.value;
}
