/** @module Unpacks the needed members of a wheel (a zip file) with Python's zipfile, which is available wherever pip is. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ByteifyError } from '../../errors.js';

const run = promisify(execFile);

const SCRIPT = `
import os, sys, zipfile
wheel, folder, prefixes = sys.argv[1], sys.argv[2], tuple(sys.argv[3:])
with zipfile.ZipFile(wheel) as archive:
    for member in archive.namelist():
        if member.startswith(prefixes):
            path = archive.extract(member, folder)
            # zipfile forgets which members are programs: XLA runs ptxas.
            if archive.getinfo(member).external_attr >> 16 & 0o100: os.chmod(path, 0o755)
`;

/** @param prefixes a member is unpacked when its name begins with one of these. @throws ByteifyError when the wheel cannot be unpacked. */
export async function unpackWheel(
  wheel: string,
  folder: string,
  prefixes: readonly string[],
  python: string,
): Promise<void> {
  try {
    await run(python, ['-c', SCRIPT, wheel, folder, ...prefixes]);
  } catch (error) {
    throw new ByteifyError(`${wheel} could not be unpacked.`, {
      hint: 'Check the free disk space (the libraries take 0.9 GB, with CUDA 6 GB) and run `byteify setup` again.',
      cause: error,
    });
  }
}
