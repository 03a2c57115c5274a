/** @module Lists every key of a recipe as Markdown tables, for docs/recipes.md. */
import { recipeJsonSchema } from './schema.js';

interface SchemaNode {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Of an object with any names: what each of them has. */
  readonly additionalProperties?: SchemaNode | boolean;
  readonly propertyNames?: SchemaNode;
  readonly required?: readonly string[];
  readonly items?: SchemaNode | readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

const code = (value: unknown): string => `\`${JSON.stringify(value)}\``;

/** Optional keys get a question mark. */
const keysOf = ({ properties = {}, required = [] }: SchemaNode): string[] =>
  Object.keys(properties).map((key) => `\`${key}\`${required.includes(key) ? '' : '?'}`);

/** What each name of an object with any names has, if that is an object; else null. */
function namedObject({ additionalProperties: node }: SchemaNode): SchemaNode | null {
  return typeof node === 'object' && node.properties !== undefined ? node : null;
}

function valueText(node: SchemaNode): string {
  if (node.const !== undefined) return code(node.const);
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(', ');
  if (namedObject(node) !== null) return 'an object by name, as below';
  if (node.propertyNames !== undefined) return `a number for each of ${valueText(node.propertyNames)}`;
  if (node.properties !== undefined) return `{ ${keysOf(node).join(', ')} }`;
  if (Array.isArray(node.items)) return `list of ${node.items.length}`;
  if (node.items !== undefined) return `list of ${valueText(node.items as SchemaNode)}`;
  return node.type ?? 'any';
}

function defaultText(node: SchemaNode, required: boolean): string {
  if (required) return 'required';
  return node.default === undefined ? '' : code(node.default);
}

function rows(section: SchemaNode): string[] {
  return Object.entries(section.properties ?? {})
    .filter(([, node]) => node.properties === undefined && node.oneOf === undefined && !isStages(node))
    .map(([key, node]) => {
      const required = section.required?.includes(key) ?? false;
      return `| \`${key}\` | ${valueText(node)} | ${defaultText(node, required)} | ${node.description ?? ''} |`;
    });
}

const isStages = (node: SchemaNode): boolean =>
  !Array.isArray(node.items) && (node.items as SchemaNode | undefined)?.oneOf !== undefined;

function section(title: string, node: SchemaNode): string {
  const head = `### ${title}\n\n${node.description ?? ''}\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n`;
  return `${head}${rows(node).join('\n')}\n`;
}

/** A section with its keys, and one for each of its objects by name. */
const sectionsOf = (title: string, node: SchemaNode): string[] => [
  section(title, node),
  ...Object.entries(node.properties ?? {}).flatMap(([key, inner]) => {
    const named = namedObject(inner);
    return named === null ? [] : [section(`${title.slice(0, -1)}.${key}.NAME\``, named)];
  }),
];

/** One Markdown table per section, in schema order. A key without a default has an empty cell; its description says what happens then. */
export function recipeKeyTable(): string {
  const root = recipeJsonSchema() as SchemaNode;
  const sections = Object.entries(root.properties ?? {}).flatMap(([key, node]) => {
    if (node.properties !== undefined) return sectionsOf(`\`${key}\``, node);
    const kinds = isStages(node) ? ((node.items as SchemaNode).oneOf ?? []) : [];
    return kinds.map((kind) => section(`\`${key}\`, kind \`${kind.properties?.kind?.const}\``, kind));
  });
  return [section('The recipe', root), ...sections].join('\n');
}
