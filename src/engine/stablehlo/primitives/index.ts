/** @module StableHLO's operations as functions over the values of a body (https://openxla.org/stablehlo/spec). */
import type { Body } from '../body.js';
import { barrierPrimitives } from './barrier.js';
import { elementwisePrimitives } from './elementwise.js';
import { productPrimitives } from './products.js';
import { reductionPrimitives } from './reductions.js';
import { gatherPrimitives, scatterPrimitives } from './rows.js';
import { joiningPrimitives, shapePrimitives } from './shapes.js';
import { tritonPrimitives } from './triton.js';

export type { Comparison } from './elementwise.js';
export type { Reduction } from './reductions.js';
export type { Combination } from './rows.js';

export type Primitives = ReturnType<typeof createPrimitives>;

export function createPrimitives(body: Body) {
  const shapes = shapePrimitives(body);
  return {
    splat: body.splat,
    ...shapes,
    ...joiningPrimitives(body),
    ...elementwisePrimitives(body, shapes),
    ...reductionPrimitives(body, shapes),
    ...productPrimitives(body, shapes),
    ...gatherPrimitives(body),
    ...scatterPrimitives(body),
    ...barrierPrimitives(body),
    ...tritonPrimitives(body),
  };
}
