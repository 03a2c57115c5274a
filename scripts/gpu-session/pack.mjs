// Makes the bundle of gpu-session.sh: this Node, compressed, and the built project with the packages that it needs, at most 60 MB together.
// Run: npm run build && node scripts/gpu-session/pack.mjs [OUT]   (default: gpu-session, which git ignores)
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAX_BYTES = 60e6;

/** What runs or is read there. */
const PARTS = ['package.json', 'dist', 'assets', 'recipes', 'scripts', 'bench', 'test/fixtures/golden'];
/** What packages contain that nothing there reads. Their Markdown is the demo's text. */
const EXCLUDED = ['*.map', '*.ts', '*/tf-core.es2017*', '*/tf-core.fesm*', '*/tf-core.min*', '*/tf-core.js'];

const PACK = `
import lzma, os, shutil, sys, tarfile, fnmatch
node, out, root, excluded, *parts = sys.argv[1:]
patterns = excluded.split(",")
def kept(member):
    return None if any(fnmatch.fnmatch(member.name, pattern) for pattern in patterns) else member
with open(node, "rb") as source, lzma.open(os.path.join(out, "node.xz"), "wb", preset=9) as target:
    shutil.copyfileobj(source, target)
with tarfile.open(os.path.join(out, "project.tar.xz"), "w:xz", preset=9) as archive:
    for part in parts:
        archive.add(os.path.join(root, part), part, filter=kept)
`;

/** The folders of the packages that are needed at run time. */
function packages() {
  const listed = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: ROOT, encoding: 'utf8' });
  const paths = listed.split('\n').filter((path) => path.includes('node_modules'));
  // A package within another one travels with it.
  return paths.map((path) => relative(ROOT, path)).filter((path) => path.lastIndexOf('node_modules') === 0);
}

const out = resolve(process.argv[2] ?? join(ROOT, 'gpu-session'));
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
execFileSync(
  'python3',
  ['-c', PACK, process.execPath, out, ROOT, EXCLUDED.join(','), ...PARTS, ...new Set(packages())],
  {
    stdio: 'inherit',
  },
);
const bytes = ['node.xz', 'project.tar.xz'].reduce((sum, name) => sum + statSync(join(out, name)).size, 0);
console.log(`${out}: ${(bytes / 1e6).toFixed(1)} MB`);
if (bytes > MAX_BYTES) {
  console.error(`The bundle is larger than ${MAX_BYTES / 1e6} MB.`);
  process.exitCode = 1;
}
