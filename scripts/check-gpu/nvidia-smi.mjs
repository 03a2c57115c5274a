// Queries nvidia-smi for the machine's GPUs, parses its output, and selects the GPU to check.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * @typedef {object} Gpu
 * @property {number} index in PCI order
 * @property {string} uuid
 * @property {string} name
 * @property {string} driver
 * @property {number | null} totalBytes null if the driver does not report it
 * @property {number | null} usedBytes by all processes
 * @property {string | null} computeCapability
 * @property {boolean} sliced whether the card is cut into MIG instances
 */

const FIELDS = [
  'index',
  'uuid',
  'name',
  'driver_version',
  'memory.total',
  'memory.used',
  'compute_cap',
  'mig.mode.current',
];
const ARGUMENTS = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
const TIMEOUT_MS = 30_000;
const MIB = 2 ** 20;

const known = (/** @type {string} */ text) => (/^\[.*\]$/.test(text) ? null : text);
const bytesOf = (/** @type {string} */ text) => (/^\d+$/.test(text) ? Number(text) * MIB : null);

/** Parses the output of the query, one line per GPU. Other lines are ignored. @returns {Gpu[]} */
export function parseGpus(/** @type {string} */ text) {
  return text
    .split('\n')
    .map((line) => line.split(',').map((field) => field.trim()))
    .filter((fields) => fields.length === FIELDS.length && /^\d+$/.test(fields[0] ?? ''))
    .map((fields) => {
      const [index, uuid, name, driver, total, used, capability, mig] = /** @type {string[]} */ (fields);
      return {
        index: Number(index),
        uuid,
        name,
        driver,
        totalBytes: bytesOf(total),
        usedBytes: bytesOf(used),
        computeCapability: known(capability),
        sliced: mig === 'Enabled',
      };
    });
}

/** @returns {Promise<string>} */
async function query() {
  const { stdout } = await promisify(execFile)('nvidia-smi', ARGUMENTS, { timeout: TIMEOUT_MS });
  return stdout;
}

/** Why nvidia-smi failed. It writes error messages to stdout. @param {any} error */
function reasonOf(error) {
  if (error?.code === 'ENOENT') return 'nvidia-smi was not found';
  if (error?.killed) return `nvidia-smi did not answer in ${TIMEOUT_MS / 1000} s`;
  const message = `${error?.stdout ?? ''}\n${error?.stderr ?? ''}`.split('\n').find((line) => line.trim() !== '');
  return `nvidia-smi says: ${(message ?? String(error?.message ?? error)).trim().replace(/\.$/, '')}`;
}

/**
 * The GPUs, or the reason why there are none.
 * @param {() => Promise<string>} ask
 * @returns {Promise<{ gpus: Gpu[], reason: string | null }>}
 */
export async function findGpus(ask = query) {
  try {
    const gpus = parseGpus(await ask());
    return { gpus, reason: gpus.length > 0 ? null : 'nvidia-smi lists none' };
  } catch (error) {
    return { gpus: [], reason: reasonOf(error) };
  }
}

/**
 * The GPU that a program sees first.
 * @param {readonly Gpu[]} gpus
 * @param {string | undefined} visible CUDA_VISIBLE_DEVICES: indices or the beginnings of UUIDs; all GPUs if undefined
 * @returns {Gpu | null} null if there is none or it is hidden
 */
export function pickGpu(gpus, visible) {
  if (visible === undefined) return gpus[0] ?? null;
  const first = visible.split(',', 1)[0]?.trim() ?? '';
  if (/^\d+$/.test(first)) return gpus.find(({ index }) => index === Number(first)) ?? null;
  if (first.startsWith('MIG-')) return gpus.find(({ sliced }) => sliced) ?? null;
  return first === '' ? null : (gpus.find(({ uuid }) => uuid.startsWith(first)) ?? null);
}

/**
 * The CUDA_VISIBLE_DEVICES with which a process uses this GPU and no memory of others. A MIG instance has a UUID of its own, which only
 * the user's value contains.
 * @param {Gpu} gpu @param {string | undefined} visible
 */
export function visibleFor(gpu, visible) {
  return gpu.sliced ? visible : gpu.uuid;
}
