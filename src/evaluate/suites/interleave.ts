/** @module Takes items from several tasks in turn. A larger limit only adds items at the end, so that an evaluation continues with it. */

type Items<T> = AsyncIterable<T> | Iterable<T>;

const iteratorOf = <T>(items: Items<T>) =>
  Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();

/** @param limit maximum items of each task */
export async function* interleaved<T>(tasks: readonly Items<T>[], limit: number): AsyncGenerator<T> {
  const left = new Set(tasks.map(iteratorOf));
  try {
    for (let taken = 0; taken < limit && left.size > 0; taken++) {
      for (const task of left) {
        const next = await task.next();
        if (next.done === true) left.delete(task);
        else yield next.value;
      }
    }
  } finally {
    for (const task of left) await task.return?.();
  }
}
