/**
 * @module A time limit for work that a file of the model decides: an expression such as `(a+)+$` takes longer than anyone lives. V8 ends what
 * runs under a limit, expressions included; nothing else of this thread could.
 */
import { createContext, Script } from 'node:vm';

interface Sandbox {
  work: () => void;
}

const sandbox = createContext({ work: () => undefined } satisfies Sandbox) as unknown as Sandbox;
const script = new Script('work()');

/**
 * Runs synchronous work of this thread; some 70 µs more than the work itself.
 * @param onLate says what is thrown when time is up; what the work had begun to change is then in an unknown state.
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
