/** @module The order of what a traced function does to variables: TensorFlow keeps none of its own. */
import { ByteifyError } from '../errors.js';
import type { GraphOutput, Pointer } from './native.js';

/** What was done to a variable: a read waits for the last change, a change for that and for the reads since. */
interface History {
  change: Pointer | null;
  reads: Pointer[];
  /** XLA does not keep the order of a fused update and what comes after it. */
  fused: boolean;
}

export interface VariableOrder {
  /**
   * Adds a node that uses variables, after what was done to them before.
   * @param changes whether it changes them; @param fused whether it does so as compiled code of its own.
   * @param add makes the node, to run after those it is given.
   * @throws ByteifyError when one of them was changed by a fused update before.
   */
  use(
    variables: readonly GraphOutput[],
    type: string,
    how: { readonly changes: boolean; readonly fused: boolean },
    add: (after: readonly Pointer[]) => Pointer,
  ): Pointer;
}

export function createVariableOrder(): VariableOrder {
  const histories = new Map<string, History>();

  function historyOf({ oper, index }: GraphOutput, type: string): History {
    const key = `${oper} ${index}`;
    const history = histories.get(key) ?? { change: null, reads: [], fused: false };
    if (history.fused) {
      throw new ByteifyError(`A traced function uses a variable again (${type}) after a fused update changed it.`, {
        hint: 'Read it before the update, or in another compiled function.',
      });
    }
    histories.set(key, history);
    return history;
  }

  return {
    use(variables, type, { changes, fused }, add) {
      const used = variables.map((variable) => historyOf(variable, type));
      const after = used.flatMap(({ change, reads }) => [
        ...(change === null ? [] : [change]),
        ...(changes ? reads : []),
      ]);
      const op = add(after);
      for (const history of used) {
        if (changes) [history.change, history.reads, history.fused] = [op, [], fused];
        else history.reads.push(op);
      }
      return op;
    },
  };
}
