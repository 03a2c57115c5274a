import { describe, expect, it } from 'vitest';
import { findGpus, parseGpus, pickGpu, visibleFor } from '../../scripts/check-gpu/nvidia-smi.mjs';

/** One H100; the name and the memory are what such a card's driver reports. */
const H100 =
  '0, GPU-5c0f4e6a-8a1f-7d1e-3d43-1f3f3b5bb111, NVIDIA H100 80GB HBM3, 580.159.04, 81559, 4, 9.0, Disabled\n';
/** Two cards: the first is split into instances, the second has no MIG. */
const TWO = `0, GPU-aaaa1111-0000-0000-0000-000000000000, NVIDIA A100-SXM4-80GB, 535.161.08, 81920, 87, 8.0, Enabled
1, GPU-bbbb2222-0000-0000-0000-000000000000, NVIDIA GeForce RTX 4090, 535.161.08, 24564, 512, 8.9, [N/A]
`;
/** A card that shares the host's memory. */
const SHARED = '0, GPU-cccc3333-0000-0000-0000-000000000000, NVIDIA GB10, 580.95.05, [N/A], [N/A], 12.1, [N/A]\n';

describe('parseGpus', () => {
  it('reads a card', () => {
    expect(parseGpus(H100)).toEqual([
      {
        index: 0,
        uuid: 'GPU-5c0f4e6a-8a1f-7d1e-3d43-1f3f3b5bb111',
        name: 'NVIDIA H100 80GB HBM3',
        driver: '580.159.04',
        totalBytes: 81_559 * 2 ** 20,
        usedBytes: 4 * 2 ** 20,
        computeCapability: '9.0',
        sliced: false,
      },
    ]);
  });

  it('reads several cards, and whether one is split into instances', () => {
    expect(parseGpus(TWO).map(({ index, name, sliced }) => [index, name, sliced])).toEqual([
      [0, 'NVIDIA A100-SXM4-80GB', true],
      [1, 'NVIDIA GeForce RTX 4090', false],
    ]);
  });

  it('leaves unknown what the driver does not report', () => {
    expect(parseGpus(SHARED)[0]).toMatchObject({ totalBytes: null, usedBytes: null, computeCapability: '12.1' });
  });

  it.each(['', '\n', 'No devices were found\n', 'a, b\n'])('finds none in %j', (text) => {
    expect(parseGpus(text)).toEqual([]);
  });
});

describe('findGpus', () => {
  const refusing = (error: object) => () => Promise.reject(Object.assign(new Error('Command failed'), error));

  it('returns the cards', async () => {
    expect(await findGpus(async () => H100)).toMatchObject({ gpus: [{ driver: '580.159.04' }], reason: null });
  });

  it.each([
    ['without the program', { code: 'ENOENT' }, 'nvidia-smi was not found'],
    [
      'without a driver',
      {
        code: 9,
        stdout:
          "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n\n",
      },
      "nvidia-smi says: NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running",
    ],
    [
      'with a driver that was replaced',
      {
        code: 18,
        stdout: 'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 560.35\n',
      },
      'nvidia-smi says: Failed to initialize NVML: Driver/library version mismatch',
    ],
    ['without a card', { code: 6, stdout: 'No devices were found\n' }, 'nvidia-smi says: No devices were found'],
    ['when it hangs', { killed: true, stdout: '' }, 'nvidia-smi did not answer in 30 s'],
    ['when it prints nothing', { code: 1, stdout: '', stderr: '' }, 'nvidia-smi says: Command failed'],
  ])('%s, says why there are no cards', async (_, error, reason) => {
    expect(await findGpus(refusing(error))).toEqual({ gpus: [], reason });
  });

  it('says that there are no cards if the list is empty', async () => {
    expect(await findGpus(async () => '\n')).toEqual({ gpus: [], reason: 'nvidia-smi lists none' });
  });
});

describe('pickGpu', () => {
  const gpus = parseGpus(TWO);
  it.each([
    [undefined, 0],
    ['1', 1],
    ['1,0', 1],
    ['GPU-bbbb', 1],
    ['MIG-1234', 0],
  ])('maps CUDA_VISIBLE_DEVICES=%s to card %i', (visible, index) => {
    expect(pickGpu(gpus, visible)?.index).toBe(index);
  });

  it.each(['', '-1', '7', 'GPU-dddd'])('finds no card with CUDA_VISIBLE_DEVICES=%s', (visible) => {
    expect(pickGpu(gpus, visible)).toBeNull();
  });

  it('shows TensorFlow only that card, or the named instance', () => {
    expect(visibleFor(gpus[1]!, undefined)).toBe(gpus[1]!.uuid);
    expect(visibleFor(gpus[0]!, 'MIG-1234')).toBe('MIG-1234');
  });
});
