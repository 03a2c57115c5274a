/** Whether the tests of this process run on a device of OpenXLA. */
export const ON_OPENXLA = process.env.BYTEIFY_DEVICE === 'cpu-xla';
