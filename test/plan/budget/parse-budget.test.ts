import { describe, expect, it } from 'vitest';
import { budgetFlops, parseBudget, sameBudget } from '../../../src/plan/budget/parse-budget.js';

describe('parseBudget', () => {
  it.each([
    ['30m', 1800],
    ['1h', 3600],
    ['1.5h', 5400],
    ['1h30m', 5400],
    ['90s', 90],
    ['1d12h', 129_600],
  ])('reads %s as %d seconds', (text, amount) => {
    expect(parseBudget(text)).toEqual({ unit: 'seconds', amount, text });
  });

  it.each([
    ['500T', 5e14],
    ['5e14', 5e14],
    ['5e+14', 5e14],
    ['0.5P', 5e14],
    ['20G', 2e10],
    ['1E', 1e18],
    ['2.5e3T', 2.5e15],
  ])('reads %s as %d FLOPs', (text, amount) => {
    expect(parseBudget(text)).toEqual({ unit: 'flops', amount, text });
  });

  it.each([
    '1x',
    '',
    'h',
    '0h',
    '-1h',
    '1 h',
    '30m1h',
    '1h1h',
    '60',
    '5e',
    '1e400',
    '0T',
    'Infinity',
    '1H',
    '500t',
    '1M',
  ])('refuses %j', (text) => {
    expect(() => parseBudget(text)).toThrow(/must be a time such as 30m/);
  });

  it('tells equal budgets, however they are written', () => {
    const same = (a: string, b: string) => sameBudget(parseBudget(a), parseBudget(b));
    expect([same('60m', '1h'), same('500T', '0.5P'), same('1h', '2h')]).toEqual([true, true, false]);
    expect(sameBudget({ unit: 'seconds', amount: 2e9, text: '' }, { unit: 'flops', amount: 2e9, text: '' })).toBe(
      false,
    );
  });
});

describe('budgetFlops', () => {
  it('multiplies a time with the rate, and needs none for FLOPs', () => {
    expect(budgetFlops(parseBudget('1h'), 1e11)).toBe(3.6e14);
    expect(budgetFlops(parseBudget('500T'), null)).toBe(5e14);
  });

  it('says what to do if the rate is unknown', () => {
    expect(() => budgetFlops(parseBudget('1h'), null)).toThrow(
      expect.objectContaining({ exitCode: 2, hint: expect.stringContaining('byteify setup') }),
    );
  });
});
