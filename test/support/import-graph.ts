import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path/posix';

export interface Import {
  readonly from: string;
  /** A path in the tree (`blt/index.ts`), or the name of a package. */
  readonly to: string;
  readonly external: boolean;
  /** `type` leaves no trace at run time; `dynamic` runs later, if ever. */
  readonly kind: 'static' | 'type' | 'dynamic';
}

/** All TypeScript files under a folder: path inside it → text. */
export function readTree(root: string): Map<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return new Map(names.sort().map((name) => [name.replaceAll('\\', '/'), readFileSync(join(root, name), 'utf8')]));
}

/** `import { type A } from` counts as static: under verbatimModuleSyntax the import stays, only the name goes. */
export function importsOf(tree: ReadonlyMap<string, string>): Import[] {
  return [...tree].flatMap(([from, text]) => {
    const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
    const found = [
      ...[...code.matchAll(/^(?:import|export)\s+(type\s)?[^'";]*?from\s*['"]([^'"]+)['"]/gm)].map(
        ([, type, to]) => [type ? 'type' : 'static', to] as const,
      ),
      ...[...code.matchAll(/^import\s*['"]([^'"]+)['"]/gm)].map(([, to]) => ['static', to] as const),
      ...[...code.matchAll(/(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]/g)].map(
        ([, type, to]) => [type ? 'type' : 'dynamic', to] as const,
      ),
    ];
    return found.map(([kind, to = '']) => {
      const external = !to.startsWith('.');
      return { from, kind, external, to: external ? to : inTree(from, to) };
    });
  });
}

/** Modules that are loaded together with each module: itself, and what it imports statically, through everything. */
export function loadedWith(module: string, imports: readonly Import[]): Map<string, readonly string[]> {
  const paths = new Map<string, readonly string[]>([[module, [module]]]);
  for (const [at, path] of paths) {
    for (const { to } of imports.filter(({ from, kind }) => from === at && kind === 'static')) {
      if (!paths.has(to)) paths.set(to, [...path, to]);
    }
  }
  return paths;
}

function inTree(from: string, to: string): string {
  return relative('.', join(dirname(from), to)).replace(/\.js$/, '.ts');
}
