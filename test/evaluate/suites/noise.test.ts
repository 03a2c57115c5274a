import { describe, expect, it } from 'vitest';
import { noise, noiseRates } from '../../../src/evaluate/suites/noise.js';
import { NOISES, noised } from '../../../src/evaluate/suites/noise-transforms.js';

const RATES = { drop: 0.1, upper: 0.5, repeat: 0.2, times: 4 };
const TEXT = 'Viele Wörter, immer wieder dieselben: ça va? '.repeat(200);

describe('noise', () => {
  it('is the same for the same key, and differs between keys', () => {
    for (const one of NOISES) {
      expect(noised(TEXT, one, RATES, 'a')).toBe(noised(TEXT, one, RATES, 'a'));
      const isRandom = one !== 'antspeak' && one !== 'upper_case';
      expect(noised(TEXT, one, RATES, 'a') === noised(TEXT, one, RATES, 'b')).toBe(!isRandom);
    }
  });

  it('changes characters as the paper describes', () => {
    expect(noised('héllo', 'antspeak', RATES, '')).toBe('H É L L O');
    expect(noised('Straße 1', 'upper_case', RATES, '')).toBe('STRASSE 1');
    const length = [...TEXT].length;
    const dropped = [...noised(TEXT, 'drop', RATES, '')].length;
    expect(1 - dropped / length).toBeCloseTo(0.1, 1);
    const mixed = noised(TEXT, 'random_case', RATES, '');
    expect(mixed.toLowerCase()).toBe(TEXT.toLowerCase());
    const letters = [...mixed].filter((one) => one.toLowerCase() !== one.toUpperCase());
    expect(letters.filter((one) => one === one.toUpperCase()).length / letters.length).toBeCloseTo(0.5, 1);
    const runs = noised('abcdefghij'.repeat(500), 'repeat', RATES, '').match(/(.)\1*/g)!;
    const lengths = runs.map((run) => run.length);
    expect(Math.max(...lengths)).toBe(4);
    expect(lengths.filter((one) => one > 1).length / lengths.length).toBeCloseTo(0.2, 1);
  });

  it('refuses rates that are none', () => {
    expect(() => noiseRates('noise', { ...noise.settings, drop: '1.5' })).toThrow(
      'noise.drop must be a number from 0 to 1',
    );
    expect(() => noiseRates('noise', { ...noise.settings, times: '1' })).toThrow('noise.times must be');
    expect(() => noiseRates('noise', { ...noise.settings, repeat: '' })).toThrow('noise.repeat must be');
    expect(noiseRates('noise', noise.settings!)).toEqual(RATES);
  });

  it('is measured relative to the clean text', () => {
    const sums = { nats_clean: Math.LN2 * 10, bytes_clean: 10, nats_drop: Math.LN2 * 18, bytes_drop: 9 };
    const value = (name: string) => noise.metrics.find((metric) => metric.name === name)!.of(sums);
    expect(value('clean_bits_per_byte')).toBeCloseTo(1);
    expect(value('drop_bits_per_byte')).toBeCloseTo(2);
    expect(value('drop_ratio')).toBeCloseTo(2);
    expect(value('repeat_ratio')).toBeNull();
  });
});
