/** @module Orders the operations of a traced function on variables, since TensorFlow does not order them itself. */
import { ByteifyError } from '../../errors.js';
import type { Pointer } from '../executor.js';
import type { GraphOutput } from './native.js';

/** The operations on a variable so far: a read waits for the last change, a change for that and for the reads since. */
interface History {
  change: Pointer | null;
  reads: Pointer[];
  /** XLA does not preserve the order of a fused update and later operations. */
  fused: boolean;
}

export interface VariableOrder {
  /**
   * Adds a node that uses variables, to run after the earlier operations on them.
   * @param changes whether it changes them; @param fused whether it does so as a separately compiled function.
   * @param add creates the node, to run after the given nodes.
   * @throws ByteifyError when a fused update changed one of them before.
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
