/** Spark for test/spark: pip's PySpark in an environment of its own, on the machine's Java. */
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The oldest Java on which Spark 4 runs. */
const MIN_JAVA = 17;

function javaVersion(): number | null {
  const home = process.env.JAVA_HOME;
  const java = home === undefined ? 'java' : join(home, 'bin/java');
  const { stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const [, version] = /version "(\d+)/.exec(stderr ?? '') ?? [];
  return version === undefined ? null : Number(version);
}

/** Why Spark cannot run here, which is also printed; null if it can. */
export function sparkIsMissing(): string | null {
  const version = javaVersion();
  if (version !== null && version >= MIN_JAVA) return null;
  const found = version === null ? 'there is none' : `this is Java ${version}`;
  const reason = `the tests of Spark are skipped: they need Java ${MIN_JAVA} or newer, and ${found}`;
  console.warn(reason);
  return reason;
}

/** Creates the environment the first time. @returns `spark-submit` and the interpreter of the workers */
export function sparkCommands(): { readonly submit: string; readonly python: string } {
  const args = ['scripts/peers-env.sh', 'test/spark/requirements.txt'];
  const python = execFileSync('bash', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  return { submit: join(dirname(python), 'spark-submit'), python };
}

/** Removes the folders that the workers of a local cluster leave in the environment. */
export function removeWorkFolders(): void {
  const code =
    'import os, pyspark, shutil; shutil.rmtree(os.path.join(pyspark.__path__[0], "work"), ignore_errors=True)';
  execFileSync(sparkCommands().python, ['-c', code]);
}
