/** @module The table of operations: every TensorFlow operation that the project uses, but those on variables, in StableHLO; and attention in Triton. */
import type { Operation } from '../operation.js';
import { ATTENTION } from './attention.js';
import { ELEMENTWISE } from './elementwise.js';
import { ORDER } from './order.js';
import { PRODUCTS } from './products.js';
import { REDUCTIONS } from './reductions.js';
import { ROWS } from './rows.js';
import { SHAPES } from './shapes.js';

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...ELEMENTWISE,
  ...REDUCTIONS,
  ...PRODUCTS,
  ...SHAPES,
  ...ROWS,
  ...ORDER,
  ...ATTENTION,
};
