import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path/posix';

export interface Import {
  readonly from: string;
  /** A path in the tree (`blt/index.ts`), or the name of a package. */
  readonly to: string;
  readonly external: boolean;
  /** `type` imports do not exist at run time; `dynamic` ones run later, if ever. */
  readonly kind: 'static' | 'type' | 'dynamic';
}

/** All TypeScript files under a folder: path inside it → text. */
export function readTree(root: string): Map<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return new Map(names.sort().map((name) => [name.replaceAll('\\', '/'), readFileSync(join(root, name), 'utf8')]));
}

/** `import { type A } from` counts as static: under verbatimModuleSyntax the import remains, only the name is removed. */
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

/** The modules that are loaded with each module: itself and its static imports, transitively. */
export function loadedWith(module: string, imports: readonly Import[]): Map<string, readonly string[]> {
  const paths = new Map<string, readonly string[]>([[module, [module]]]);
  for (const [at, path] of paths) {
    for (const { to } of imports.filter(({ from, kind }) => from === at && kind === 'static')) {
      if (!paths.has(to)) paths.set(to, [...path, to]);
    }
  }
  return paths;
}

/** Groups of modules that reach each other by static or type imports (Tarjan's strongly connected components). */
export function circlesIn(modules: readonly string[], imports: readonly Import[]): string[][] {
  const targets = new Map(modules.map((module) => [module, [] as string[]]));
  for (const { from, to, kind } of imports) if (kind !== 'dynamic' && targets.has(to)) targets.get(from)?.push(to);
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];
  const visit = (module: string): void => {
    const at = index.size;
    index.set(module, at);
    lowest.set(module, at);
    path.push(module);
    for (const to of targets.get(module)!) {
      if (!index.has(to)) visit(to);
      if (path.includes(to)) lowest.set(module, Math.min(lowest.get(module)!, lowest.get(to)!));
    }
    if (lowest.get(module) !== at) return;
    const circle = path.splice(path.indexOf(module));
    if (circle.length > 1 || targets.get(module)!.includes(module)) circles.push(circle.sort());
  };
  for (const module of modules) if (!index.has(module)) visit(module);
  return circles;
}

function inTree(from: string, to: string): string {
  return relative('.', join(dirname(from), to)).replace(/\.js$/, '.ts');
}
