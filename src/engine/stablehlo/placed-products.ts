/**
 * @module Products of matrices in a program that is divided over devices together with its weights. Left to itself, XLA's partitioner lets the
 * division of a weight decide that of the activations, and collects the activations of all devices on each of them. So every product says how its
 * operands lie: a weight is collected where it is used, rows stay where they are, and products that sum over rows are summed over the devices, as
 * in stage 3 of ZeRO (Rajbhandari et al. 2020, arXiv 1910.02054).
 */
import { divisionOf, type Split } from './sharding.js';

/** An operation of one line: `%7 = stablehlo.convert %6 : ...`. */
const OPERATION = /^ {4}(%\w+)(?::\d+)? = stablehlo\.(\w+) (.*)$/;
const CALL = /^(.* = func\.call @)(\w+)\(([^)]*)\)(.*)$/;
const ID = /%\w+(?:#\d+)?/g;
const TYPE = /tensor<[^>]*>/g;

/** What remains a weight. */
const SAME_WEIGHT = new Set(['convert', 'transpose', 'reshape', 'slice']);

const shapeOf = (type: string): number[] => type.slice('tensor<'.length).split('x').slice(0, -1).map(Number);

export interface Place {
  readonly devices: number;
  /** The name of a function that a call gives these of its arguments as weights. */
  nameOf(called: string, weights: readonly number[]): string;
}

/**
 * The lines of a function, with the places of products added.
 * @param weights the ids of parameters that are divided weights
 */
export function placeProducts(
  lines: readonly string[],
  weights: ReadonlySet<string>,
  { devices, nameOf }: Place,
): string[] {
  const isWeight = new Set(weights);
  const placed: string[] = [];
  let count = 0;

  const place = (id: string, type: string, split: Split): string => {
    const name = `%placed${count++}`;
    const division = divisionOf(shapeOf(type).length, split);
    placed.push(`    ${name} = sdy.sharding_constraint ${id} ${division} : ${type}`);
    return name;
  };

  function placeProduct(line: string, result: string, text: string): void {
    const [x, y] = text.match(ID) as [string, string];
    const [typeX, typeY, type] = text.match(TYPE) as [string, string, string];
    if ([typeX, typeY].some((one) => shapeOf(one).length !== 2)) {
      placed.push(line);
      return;
    }
    const [summedX, summedY] = /contracting_dims = \[(\d+)\] x \[(\d+)\]/.exec(text)!.slice(1).map(Number);
    const rowsAreDivided = shapeOf(typeX)[0]! % devices === 0;
    const product = (a: string, b: string) => `stablehlo.dot_general ${text.replace(`${x}, ${y}`, () => `${a}, ${b}`)}`;
    if (!isWeight.has(x) && !isWeight.has(y) && summedX === 0 && summedY === 0 && rowsAreDivided) {
      const local = product(place(x, typeX, 0), place(y, typeY, 0));
      const sum = `%placed${count++}`;
      placed.push(`    ${sum} = ${local}`);
      placed.push(`    ${result} = sdy.sharding_constraint ${sum} ${divisionOf(2, null)} : ${type}`);
      return;
    }
    const keepsRows = isWeight.has(y) && summedX === 1 && rowsAreDivided;
    const a = isWeight.has(x) ? place(x, typeX, null) : keepsRows ? place(x, typeX, 0) : x;
    const b = isWeight.has(y) ? place(y, typeY, null) : y;
    placed.push(`    ${result} = ${product(a, b)}`);
  }

  for (const line of lines) {
    const [, call, called, given, rest] = CALL.exec(line) ?? [];
    if (called !== undefined) {
      const theirs = (given!.match(ID) ?? []).flatMap((id, i) => (isWeight.has(id) ? [i] : []));
      placed.push(`${call}${nameOf(called, theirs)}(${given})${rest}`);
      continue;
    }
    const [, result, operation, text] = OPERATION.exec(line) ?? [];
    if (operation === 'dot_general') {
      placeProduct(line, result!, text!);
      continue;
    }
    placed.push(line);
    const operands = text?.match(ID) ?? [];
    if (SAME_WEIGHT.has(operation!) && isWeight.has(operands[0]!)) isWeight.add(result!);
    if (operation === 'optimization_barrier')
      operands.forEach((id, i) => {
        if (isWeight.has(id)) isWeight.add(operands.length === 1 ? result! : `${result}#${i}`);
      });
  }
  return placed;
}
