import { describe, expect, it } from 'vitest';
import { canAnimate, terminalColumns, usesColour } from '../../src/ui/terminal.js';

const terminal = { isTTY: true, write: () => true };
const pipe = { isTTY: undefined, write: () => true };

describe('colour', () => {
  it.each([
    [terminal, {}, true],
    [pipe, {}, false],
    [terminal, { NO_COLOR: '1' }, false],
    [terminal, { NO_COLOR: '' }, true],
    [terminal, { TERM: 'dumb' }, false],
    [pipe, { FORCE_COLOR: '1' }, true],
    [pipe, { FORCE_COLOR: '0' }, false],
    [pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('case %#', (stream, env, expected) => {
    expect(usesColour(stream, env)).toBe(expected);
  });
});

describe('animation', () => {
  it.each([
    [terminal, {}, true],
    [pipe, {}, false],
    [{ ...terminal, columns: 80 }, {}, true],
    [{ ...terminal, columns: 0 }, {}, false],
    [terminal, { CI: 'true' }, false],
    [terminal, { CI: 'false' }, true],
    [terminal, { TERM: 'dumb' }, false],
  ])('case %#', (stream, env, expected) => {
    expect(canAnimate(stream, env)).toBe(expected);
  });
});

it.each([
  [120, 120],
  [undefined, 80],
  [0, 80],
])('output is fitted to %s columns as %d', (columns, expected) => {
  expect(terminalColumns({ columns })).toBe(expected);
});
