// Compares attention by the kernels with attention by XLA's operations, in a process of its own, and keeps the answer for later starts.
import { tritonCheckOf, tritonWorks } from '../../../dist/engine/openxla/triton-check.js';
import { requirePlugin } from '../../../dist/engine/setup/devices.js';

/** @param {{ device: 'cuda' | 'cpu-xla' }} options @returns {Promise<import('../verdict.mjs').Result[]>} */
export async function check({ device }) {
  const name = 'attention kernels';
  const plugin = requirePlugin(device);
  if (device !== 'cuda') return [{ name, ok: true, detail: `not used on ${device}`, figures: { used: false } }];
  const used = await tritonWorks(device, plugin);
  const known = tritonCheckOf(device, plugin) !== null;
  const failed = known ? 'they fail or differ' : 'they could not be checked';
  const detail = used ? 'values and gradients as by XLA’s operations' : `${failed}, so XLA’s operations are used`;
  return [{ name, ok: used, detail, figures: { used } }];
}
