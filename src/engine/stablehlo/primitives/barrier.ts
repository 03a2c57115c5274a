/** @module The order of computations. */
import { type Body, typeOf, type Value } from '../body.js';

export function barrierPrimitives({ emitAll }: Body) {
  /** The same values, none of which counts as computed before all are. */
  const barrier = (values: readonly Value[]): readonly Value[] => {
    const [ids, types] = [values.map(({ id }) => id), values.map(typeOf)];
    return emitAll(`stablehlo.optimization_barrier ${ids.join(', ')} : ${types.join(', ')}`, values);
  };
  return { barrier };
}
