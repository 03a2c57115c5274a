// The GPU memory that TensorFlow uses, as CUDA counts it. With TF_GPU_ALLOCATOR=cuda_malloc_async, TensorFlow allocates from the device's
// default pool, whose high-water mark is the peak of the memory in use. TensorFlow's own allocator would reserve memory in advance.
import koffi from 'koffi';

// From CUmemPool_attribute in cuda.h. A high-water mark can be reset to 0.
const USED_MEM_HIGH = 8;
const SUCCESS = 0;

/**
 * The pool of the first GPU that this process sees. Null without CUDA's driver library or without pools. `totalBytes` is the memory of the
 * device, or of the MIG instance.
 * @returns {{ highBytes(): number, reset(): void, totalBytes(): number } | null}
 */
export function openPool() {
  try {
    const cuda = koffi.load('libcuda.so.1');
    const getPool = cuda.func('int cuDeviceGetDefaultMemPool(void* pool, int device)');
    const getAttribute = cuda.func('int cuMemPoolGetAttribute(void* pool, int attribute, void* value)');
    const setAttribute = cuda.func('int cuMemPoolSetAttribute(void* pool, int attribute, void* value)');
    const getTotal = cuda.func('int cuDeviceTotalMem_v2(void* bytes, int device)');
    const found = new BigUint64Array(1);
    if (getPool(found, 0) !== SUCCESS) return null;
    const [pool] = found;
    return {
      highBytes() {
        const value = new BigUint64Array(1);
        return getAttribute(pool, USED_MEM_HIGH, value) === SUCCESS ? Number(value[0]) : 0;
      },
      totalBytes() {
        const value = new BigUint64Array(1);
        return getTotal(value, 0) === SUCCESS ? Number(value[0]) : 0;
      },
      reset() {
        setAttribute(pool, USED_MEM_HIGH, new BigUint64Array(1));
      },
    };
  } catch {
    return null;
  }
}
