/**
 * @module TensorFlow's C API through koffi: the functions that this project calls, with their C prototypes
 * (tensorflow/c/c_api.h and tensorflow/c/eager/c_api.h). Code above this file does not know where pointers come from.
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ByteifyError } from '../../errors.js';
import { koffi, openLibrary } from '../c-library.js';
import type { Pointer } from '../executor.js';
import { LIBRARY_FILES } from '../setup/libraries.js';
import { blockSignals, blockSignalsInPool } from '../signal-mask.js';

const PROTOTYPES = {
  TF_Version: 'const char* TF_Version()',
  TF_NewStatus: 'void* TF_NewStatus()',
  TF_GetCode: 'int TF_GetCode(void* status)',
  TF_Message: 'const char* TF_Message(void* status)',
  TF_AllocateTensor: 'void* TF_AllocateTensor(int dtype, const int64_t* dims, int dimCount, size_t byteCount)',
  TF_DeleteTensor: 'void TF_DeleteTensor(void* tensor)',
  TF_TensorData: 'void* TF_TensorData(void* tensor)',
  TF_TensorByteSize: 'size_t TF_TensorByteSize(void* tensor)',
  TFE_NewContextOptions: 'void* TFE_NewContextOptions()',
  TFE_ContextOptionsSetConfig:
    'void TFE_ContextOptionsSetConfig(void* options, const void* proto, size_t byteCount, void* status)',
  TFE_DeleteContextOptions: 'void TFE_DeleteContextOptions(void* options)',
  TFE_NewContext: 'void* TFE_NewContext(void* options, void* status)',
  TFE_EnableCollectiveOps:
    'void TFE_EnableCollectiveOps(void* context, const void* serverDef, size_t byteCount, void* status)',
  TFE_ContextListDevices: 'void* TFE_ContextListDevices(void* context, void* status)',
  TF_DeviceListCount: 'int TF_DeviceListCount(void* list)',
  TF_DeviceListName: 'const char* TF_DeviceListName(void* list, int index, void* status)',
  TF_DeviceListType: 'const char* TF_DeviceListType(void* list, int index, void* status)',
  TF_DeleteDeviceList: 'void TF_DeleteDeviceList(void* list)',
  TFE_NewTensorHandle: 'void* TFE_NewTensorHandle(void* tensor, void* status)',
  TFE_DeleteTensorHandle: 'void TFE_DeleteTensorHandle(void* handle)',
  TFE_TensorHandleDataType: 'int TFE_TensorHandleDataType(void* handle)',
  TFE_TensorHandleNumDims: 'int TFE_TensorHandleNumDims(void* handle, void* status)',
  TFE_TensorHandleDim: 'int64_t TFE_TensorHandleDim(void* handle, int index, void* status)',
  TFE_TensorHandleResolve: 'void* TFE_TensorHandleResolve(void* handle, void* status)',
  TFE_NewOp: 'void* TFE_NewOp(void* context, const char* name, void* status)',
  TFE_DeleteOp: 'void TFE_DeleteOp(void* op)',
  TFE_OpAddInput: 'void TFE_OpAddInput(void* op, void* handle, void* status)',
  TFE_OpSetAttrString: 'void TFE_OpSetAttrString(void* op, const char* name, const void* value, size_t byteCount)',
  TFE_OpSetAttrInt: 'void TFE_OpSetAttrInt(void* op, const char* name, int64_t value)',
  TFE_OpSetAttrFloat: 'void TFE_OpSetAttrFloat(void* op, const char* name, float value)',
  TFE_OpSetAttrBool: 'void TFE_OpSetAttrBool(void* op, const char* name, unsigned char value)',
  TFE_OpSetAttrType: 'void TFE_OpSetAttrType(void* op, const char* name, int value)',
  TFE_OpSetAttrIntList: 'void TFE_OpSetAttrIntList(void* op, const char* name, const int64_t* values, int count)',
  TFE_OpSetAttrShape:
    'void TFE_OpSetAttrShape(void* op, const char* name, const int64_t* dims, int dimCount, void* status)',
  TFE_Execute: 'void TFE_Execute(void* op, void* results, void* resultCount, void* status)',
  TFE_ContextAddFunction: 'void TFE_ContextAddFunction(void* context, void* function, void* status)',
  TFE_ContextRemoveFunction: 'void TFE_ContextRemoveFunction(void* context, const char* name, void* status)',
  TF_DeleteStatus: 'void TF_DeleteStatus(void* status)',
  TF_NewGraph: 'void* TF_NewGraph()',
  TF_DeleteGraph: 'void TF_DeleteGraph(void* graph)',
  TF_NewOperation: 'void* TF_NewOperation(void* graph, const char* type, const char* name)',
  TF_AddInput: 'void TF_AddInput(void* op, TF_Output input)',
  TF_AddControlInput: 'void TF_AddControlInput(void* op, void* input)',
  TF_AddInputList: 'void TF_AddInputList(void* op, const void* inputs, int count)',
  TF_SetAttrString: 'void TF_SetAttrString(void* op, const char* name, const void* value, size_t byteCount)',
  TF_SetAttrInt: 'void TF_SetAttrInt(void* op, const char* name, int64_t value)',
  TF_SetAttrFloat: 'void TF_SetAttrFloat(void* op, const char* name, float value)',
  TF_SetAttrBool: 'void TF_SetAttrBool(void* op, const char* name, unsigned char value)',
  TF_SetAttrType: 'void TF_SetAttrType(void* op, const char* name, int value)',
  TF_SetAttrIntList: 'void TF_SetAttrIntList(void* op, const char* name, const int64_t* values, int count)',
  TF_SetAttrShape: 'void TF_SetAttrShape(void* op, const char* name, const int64_t* dims, int dimCount)',
  TF_SetAttrTensor: 'void TF_SetAttrTensor(void* op, const char* name, void* tensor, void* status)',
  TF_FinishOperation: 'void* TF_FinishOperation(void* op, void* status)',
  TF_OperationOutputType: 'int TF_OperationOutputType(TF_Output output)',
  TF_GraphGetTensorNumDims: 'int TF_GraphGetTensorNumDims(void* graph, TF_Output output, void* status)',
  TF_GraphGetTensorShape:
    'void TF_GraphGetTensorShape(void* graph, TF_Output output, void* dims, int dimCount, void* status)',
  TF_GraphSetTensorShape:
    'void TF_GraphSetTensorShape(void* graph, TF_Output output, const int64_t* dims, int dimCount, void* status)',
  TF_GraphToFunctionWithControlOutputs:
    'void* TF_GraphToFunctionWithControlOutputs(void* graph, const char* name, unsigned char appendHash, int opCount, void* ops, int inputCount, const void* inputs, int outputCount, const void* outputs, void* outputNames, int controlCount, const void* controls, void* controlNames, void* options, const char* description, void* status)',
  TF_GraphCopyFunction: 'void TF_GraphCopyFunction(void* graph, void* function, void* gradient, void* status)',
  TF_DeleteFunction: 'void TF_DeleteFunction(void* function)',
} as const;

/** The functions of the C API that a folder's two libraries together must export. */
export const C_FUNCTIONS: readonly string[] = Object.keys(PROTOTYPES);

/** One output of a graph's operation, passed by value (tensorflow/c/c_api.h: TF_Output). */
export interface GraphOutput {
  readonly oper: Pointer;
  readonly index: number;
}

/** The argument types that koffi accepts for the prototypes above. */
type Argument = Pointer | number | bigint | string | ArrayBufferView | GraphOutput | null;
interface CFunction<R> {
  (...args: Argument[]): R;
  /** The same call on another thread; the callback receives an error or the result. */
  async(...args: [...Argument[], (error: Error | null, result: R) => void]): void;
}

type ReturnOf<P extends string> = P extends `void* ${string}`
  ? Pointer
  : P extends `const char* ${string}`
    ? string
    : P extends `void ${string}`
      ? undefined
      : P extends `int64_t ${string}` | `size_t ${string}`
        ? number | bigint
        : number;

export type TensorFlowApi = { readonly [K in keyof typeof PROTOTYPES]: CFunction<ReturnOf<(typeof PROTOTYPES)[K]>> } & {
  /** Copies bytes between JavaScript memory and C memory, in either direction. */
  readonly copyToNative: (target: Pointer, source: Uint8Array, byteCount: number) => void;
  readonly copyFromNative: (target: Uint8Array, source: Pointer, byteCount: number) => void;
  /**
   * Returns whole pages of malloc's memory to the kernel: they then read as zeros and take no memory until they are written to. Returns
   * false if the kernel refuses.
   */
  readonly forgetPages: (address: bigint, byteCount: number) => boolean;
  /** Keeps signals away from the threads that run asynchronous calls; those of this thread and of TensorFlow block them already. */
  readonly blockSignalsInPool: () => Promise<void>;
  /** Ends the process immediately, whatever its threads are doing. */
  readonly leave: (exitCode: number) => void;
};

/** Fatal messages only: errors are thrown with TensorFlow's text, and those of broken connections would hide which process is lost. */
const QUIET = '3';

const STDERR = 2;

interface FileDescriptors {
  dup(fd: number): number;
  dup2(from: number, to: number): number;
  close(fd: number): number;
}

/** The libraries' static initialisers print to stderr whatever the log level, which would clutter the user's terminal. */
function withoutStderr(libc: FileDescriptors, work: () => void): void {
  const [saved, nowhere] = [libc.dup(STDERR), openSync('/dev/null', 'w')];
  libc.dup2(nowhere, STDERR);
  try {
    work();
  } finally {
    libc.dup2(saved, STDERR);
    libc.close(saved);
    closeSync(nowhere);
  }
}

/** Uses XNNPACK's kernels for products on a CPU: 5 to 30 % faster than XLA's own on a transformer block (`npm run bench:train`). */
const XLA_FLAGS = '--xla_cpu_use_xnnpack=true';

/** tsl::enable_tensor_float_32_execution(bool), which has no C name. It controls cuBLAS calls and XLA's own kernels. */
const TF32_SWITCH = 'void _ZN3tsl32enable_tensor_float_32_executionEb(bool enabled)';

/** Keeps float32 at full precision: on Ampere and later, TensorFlow would round the operands of products to 10 bits. */
function switchTf32Off(framework: CLibrary): void {
  try {
    (framework.func(TF32_SWITCH) as (enabled: boolean) => void)(false);
  } catch {
    // The user's own copy may lack it; NVIDIA_TF32_OVERRIDE still applies to NVIDIA's libraries.
  }
}

// <sys/mman.h>. On macOS the pages would keep their contents.
const MADV_DONTNEED = 4;
/** Else writing one number would take a page of 2 MiB. */
const MADV_NOHUGEPAGE = 15;
const DISCARDS_PAGES = process.platform === 'linux';

interface CLibrary {
  func(prototype: string): (...args: never[]) => unknown;
}

function pageForgetter(libc: CLibrary): Pick<TensorFlowApi, 'forgetPages'> {
  const madvise = libc.func('int madvise(void* at, size_t length, int advice)') as (
    ...args: (bigint | number)[]
  ) => number;
  return {
    forgetPages(address, byteCount) {
      if (!DISCARDS_PAGES) return false;
      madvise(address, byteCount, MADV_NOHUGEPAGE); // A kernel without large pages refuses, which is as good.
      return madvise(address, byteCount, MADV_DONTNEED) === 0;
    },
  };
}

/** <malloc.h> of glibc. */
const M_ARENA_MAX = -8;

/**
 * Lets malloc keep one arena per computing thread. glibc's default is eight per core: a step's large tensors then wander between arenas, each of
 * which keeps what was freed, and a process can hold twice the memory that it uses. The user's own MALLOC_ARENA_MAX takes precedence.
 */
function limitArenas(libc: CLibrary, threads: number): void {
  if (process.env.MALLOC_ARENA_MAX !== undefined) return;
  try {
    (libc.func('int mallopt(int parameter, int value)') as (parameter: number, value: number) => number)(
      M_ARENA_MAX,
      Math.max(2, threads),
    );
  } catch {
    // Other C libraries have no arenas to limit.
  }
}

/**
 * Loads both libraries and binds the functions.
 * @param threads how many will compute at the same time.
 * @param folder contains the two files of LIBRARY_FILES.
 * @throws ByteifyError when koffi or a library cannot be loaded.
 */
export function loadTensorFlow(folder: string, threads: number): TensorFlowApi {
  // TensorFlow reads this once, when it is loaded. The user's own value takes precedence.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= QUIET;
  process.env.XLA_FLAGS ??= XLA_FLAGS;
  process.env.NVIDIA_TF32_OVERRIDE ??= '0';
  try {
    // This process, in which the C library is already loaded, whatever its file name.
    const libc = koffi().load(null);
    limitArenas(libc, threads);
    blockSignals(libc);
    const descriptors = {
      dup: libc.func('int dup(int fd)'),
      dup2: libc.func('int dup2(int from, int to)'),
      close: libc.func('int close(int fd)'),
    };
    withoutStderr(descriptors, () => {
      for (const file of LIBRARY_FILES) openLibrary(join(folder, file));
    });
    const libraries = [...LIBRARY_FILES].reverse().map((file) => koffi().load(join(folder, file)));
    switchTf32Off(libraries.at(-1)!);
    koffi().struct('TF_Output', { oper: 'void *', index: 'int' });
    const bind = (name: string, prototype: string) => {
      for (const library of libraries) {
        try {
          return library.func(prototype);
        } catch {
          // the other library may export it
        }
      }
      throw new Error(`the libraries lack ${name}`);
    };
    const bound = Object.fromEntries(
      Object.entries(PROTOTYPES).map(([name, prototype]) => [name, bind(name, prototype)]),
    );
    return {
      ...(bound as unknown as { [K in keyof typeof PROTOTYPES]: CFunction<never> }),
      ...pageForgetter(libc),
      leave: libc.func('void _exit(int exitCode)'),
      blockSignalsInPool: () => blockSignalsInPool(libc),
      copyToNative: libc.func('void* memcpy(void* target, const void* source, size_t byteCount)'),
      copyFromNative: libc.func('void* memcpy(void* target, void* source, size_t byteCount)'),
    };
  } catch (error) {
    throw new ByteifyError(`TensorFlow's libraries in ${folder} cannot be loaded: ${(error as Error).message}`, {
      hint: 'Run `byteify setup` to fetch and check them again, or `byteify doctor` to see what is missing.',
      cause: error,
    });
  }
}
