/** @module Overrides of recipe keys from the command line: `--set stages.0.steps=50`. */
import { type Document, isCollection, isSeq, parse } from 'yaml';
import { messageOf, UsageError } from '../errors.js';
import { type OnWarning, renamedPath } from './renamed-keys.js';

function parsePath(override: string): { path: (string | number)[]; value: string } {
  const equals = override.indexOf('=');
  if (equals < 1)
    throw new UsageError(`--set takes key=value, not "${override}".`, {
      hint: 'For example: --set stages.0.steps=50.',
    });
  const keys = override.slice(0, equals).split('.');
  return { path: keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key)), value: override.slice(equals + 1) };
}

/**
 * Tells which keys the overrides set: the named keys and everything inside them.
 * @param sets in the form `key=value`
 * @example isOverridden(['stages.1={kind: join, steps: 5}'])('stages.1.steps') // true
 */
export function isOverridden(sets: readonly string[]): (key: string) => boolean {
  const keys = sets.map((set) => set.slice(0, set.indexOf('=')));
  return (key) => keys.some((set) => key === set || key.startsWith(`${set}.`));
}

/** Explains why a path cannot be set, or returns null. The schema checks later whether the keys exist. */
function obstacle(document: Document.Parsed, path: readonly (string | number)[]): string | null {
  for (const [depth, key] of path.entries()) {
    const parent = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    const name = path.slice(0, depth).join('.');
    if (parent === undefined) return null;
    if (!isCollection(parent)) return `${name} has no keys`;
    if (isSeq(parent) && !(typeof key === 'number' && key < parent.items.length)) {
      return `there is no ${name}.${key} (${name} has ${parent.items.length}, counted from 0)`;
    }
  }
  return null;
}

/** Sets one key of a document; the value is parsed as YAML. @throws UsageError if the path or the value is invalid. */
export function applyOverride(document: Document.Parsed, override: string, onWarning: OnWarning): void {
  const { path: written, value: text } = parsePath(override);
  const path = renamedPath(written, `--set ${override}`, onWarning);
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new UsageError(`--set ${override}: the value is not YAML (${messageOf(cause).split(/ at line|\n/)[0]}).`, {
      hint: 'Quote values that YAML would misread: --set \'name="a: b"\'.',
      cause,
    });
  }
  const why = obstacle(document, path);
  if (why !== null) throw new UsageError(`--set ${override}: ${why}.`, { hint: 'docs/recipes.md lists every key.' });
  document.setIn(path, document.createNode(value));
}
