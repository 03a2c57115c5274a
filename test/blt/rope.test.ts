import { expect, it } from 'vitest';
import { inverseFrequencies } from '../../src/blt/index.js';

it('rotary frequencies fall from 1 in powers of theta', () => {
  expect([...inverseFrequencies({ type: 'default', theta: 10_000 }, 8)]).toEqual(
    [1, 0.1, 0.01, 0.001].map((x) => expect.closeTo(x, 12)),
  );
});

/**
 * Printed by transformers 5.23.0 (torch 2.15, float32): ROPE_INIT_FUNCTIONS['llama3'] of a LlamaConfig with rope_theta 500000,
 * low_freq_factor 1, high_freq_factor 4 and original_max_position_embeddings 8192.
 */
const PUBLISHED: readonly [name: string, factor: number, headDim: number, frequencies: readonly number[]][] = [
  [
    'Llama 3.1',
    8,
    128,
    [
      1.0, 0.814617217, 0.663601279, 0.540580988, 0.440366626, 0.358730227, 0.292227834, 0.238053814, 0.193922758,
      0.157972813, 0.128687382, 0.10483095, 0.0853971019, 0.0695659518, 0.0566696189, 0.0461640507, 0.0376060307,
      0.0306345206, 0.0249554086, 0.0203291047, 0.0165604409, 0.0134904198, 0.0109895291, 0.00895225909, 0.00729266508,
      0.00594073068, 0.00483942125, 0.00394227589, 0.00321144611, 0.00216657063, 0.00137189368, 0.00085675146,
      0.000524846022, 0.00031269365, 0.000178507791, 9.55621217e-5, 7.78465546e-5, 6.34151438e-5, 5.16590699e-5,
      4.20823671e-5, 3.42810235e-5, 2.79259093e-5, 2.2748929e-5, 1.85316694e-5, 1.50962178e-5, 1.22976389e-5,
      1.00178686e-5, 8.1607277e-6, 6.64786967e-6, 5.41546933e-6, 4.41153452e-6, 3.59371188e-6, 2.92749974e-6,
      2.38479174e-6, 1.94269251e-6, 1.58255079e-6, 1.28917316e-6, 1.05018262e-6, 8.55496921e-7, 6.96902532e-7,
      5.6770881e-7, 4.6246538e-7, 3.7673226e-7, 3.06892588e-7,
    ],
  ],
  [
    'Llama 3.2 1B',
    32,
    64,
    [
      1.0, 0.663601279, 0.440366626, 0.292227834, 0.193922758, 0.128687382, 0.0853971019, 0.0566696189, 0.0376060307,
      0.0249554086, 0.0165604409, 0.0109895291, 0.00729266508, 0.00483942125, 0.00321144611, 0.00129054801,
      0.000429556705, 9.70828623e-5, 1.94616387e-5, 1.29147675e-5, 8.57025589e-6, 5.68723226e-6, 3.77405445e-6,
      2.50446715e-6, 1.66196742e-6, 1.10288363e-6, 7.31874934e-7, 4.85673127e-7, 3.22293289e-7, 2.1387423e-7,
      1.41927202e-7, 9.41830649e-8,
    ],
  ],
];

it.each(PUBLISHED)('llama3 scaling of %s equals transformers’', (_name, factor, headDim, wanted) => {
  const rope = {
    type: 'llama3',
    theta: 500_000,
    factor,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 8192,
  } as const;
  const found = inverseFrequencies(rope, headDim);
  expect(found.length).toBe(wanted.length);
  // transformers computes its powers in float32, which has seven digits
  for (const [j, frequency] of wanted.entries()) expect(Math.abs(found[j]! / frequency - 1), `${j}`).toBeLessThan(2e-6);
});
