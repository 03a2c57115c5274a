// Downloads a package with its registry's client, and verifies its sha256.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Of } from '../digest.mjs';
import { fileNameOf } from './file-name.mjs';
import { Refusal } from './refusal.mjs';
import { REGISTRIES } from './registries.mjs';

/** @typedef {{ name: string, registry: string, wheel?: boolean }} Entry */

/**
 * Runs the client in `folder`.
 * @typedef {(command: [string, string[]], folder: string) => { status: number | null, stderr: string }} Client
 * @type {Client}
 */
const runClient = ([program, args], folder) => {
  const { status, stderr, error } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
  if (error !== undefined) throw new Refusal(`${program} cannot be started (${error.message}); install it first`);
  return { status, stderr };
};

const clientError = (stderr) =>
  stderr
    .split('\n')
    .filter((line) => /^(e:|error:?|npm (err|error))/i.test(line))
    .slice(0, 2)
    .join(' ') || 'no reason given';

/**
 * Downloads one version, or the newest if it is null, into `folder`.
 * @param {Entry} entry
 * @param {string | null} version
 * @param {string} folder
 * @param {Client} client
 * @returns {string} the path of the file
 */
export function download(entry, version, folder, client = runClient) {
  const draft = join(folder, `.${fileNameOf(entry.name)}.part`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const { status, stderr } = client(REGISTRIES[entry.registry].command(entry, version), draft);
  const [file] = readdirSync(draft);
  if (status !== 0 || file === undefined) {
    rmSync(draft, { recursive: true, force: true });
    throw new Refusal(
      `${entry.name} ${version ?? ''} cannot be downloaded (${clientError(stderr)}). If the registry no longer has this ` +
        `version, run npm run bench:corpus -- --update-pins ${entry.name}; results with other versions are not comparable`,
    );
  }
  const path = join(folder, file);
  renameSync(join(draft, file), path);
  rmSync(draft, { recursive: true, force: true });
  return path;
}

/** Whether an earlier run left the complete file. */
const isPinned = (path, pin) => existsSync(path) && sha256Of(path) === pin.sha256;

/**
 * The pinned file of a package in `folder`, downloaded unless it is there already.
 * @param {Entry} entry
 * @param {import('./pins.mjs').Pin} pin
 * @param {string} folder
 * @param {Client} [client]
 * @returns {string} its path
 */
export function fetchPackage(entry, pin, folder, client) {
  const present = join(folder, pin.file);
  if (isPinned(present, pin)) return present;
  const path = download(entry, pin.version, folder, client);
  const found = sha256Of(path);
  if (found === pin.sha256) return path;
  rmSync(path);
  throw new Refusal(
    `${entry.name} ${pin.version} is not the pinned file: its sha256 is ${found}, but bench/corpus/pins.json expects ` +
      `${pin.sha256}; the file was removed`,
  );
}
