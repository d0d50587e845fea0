import { CONFIG_KEYS, type ConfigKey } from './config-keys.ts';
import { FEATURES } from './feature-table.ts';

/** A JSON Schema, or a part of one. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

interface SchemaNode {
  own: JsonSchema | undefined;
  readonly children: Map<string, SchemaNode>;
}

const STRING: JsonSchema = { type: 'string' };
const STRINGS: JsonSchema = { type: 'array', items: STRING };
const TABLE: JsonSchema = { type: 'object' };
/** Of a feature: newer files may hold a table of its own settings. */
const SWITCH = 'boolean or a table';

/** By the words of the documentation. */
const TYPES: Readonly<Record<string, JsonSchema>> = {
  string: STRING,
  path: STRING,
  boolean: { type: 'boolean' },
  URL: { type: 'string', pattern: '^https?://' },
  table: TABLE,
  [SWITCH]: { anyOf: [{ type: 'boolean' }, TABLE] },
  'table of strings': { type: 'object', additionalProperties: STRING },
  'list of strings': STRINGS,
  'list of paths': STRINGS,
  'list of tables': { type: 'array', items: TABLE },
  'string or list of strings': { anyOf: [STRING, STRINGS] },
  'number > 0': { type: 'number', exclusiveMinimum: 0 },
};

/**
 * The schema of `config.toml`, for editors: JSON Schema, draft 7, made of `CONFIG_KEYS`. Keys that are not in it are
 * allowed, for compatible programs have settings of their own.
 */
export function configSchema(): JsonSchema {
  const root = createNode();
  for (const key of CONFIG_KEYS) place(root, key);
  for (const { name, meaning } of FEATURES) place(root, { key: `features.${name}`, type: SWITCH, meaning });
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'config.toml of Quire',
    ...schemaOfNode(root),
  };
}

function createNode(): SchemaNode {
  return { own: undefined, children: new Map() };
}

function place(root: SchemaNode, { key, type, meaning }: ConfigKey): void {
  let node = root;
  for (const segment of key.split('.')) {
    const name = segment.startsWith('<') ? '*' : segment;
    const child = node.children.get(name) ?? createNode();
    node.children.set(name, child);
    node = child;
  }
  node.own = { ...schemaOfType(type), description: meaning };
}

/** @throws Error for words that no schema is known for: a mistake in `CONFIG_KEYS` */
export function schemaOfType(type: string): JsonSchema {
  const known = TYPES[type];
  if (known !== undefined) return known;
  const minimum = /^integer ≥ ([0-9]+)$/.exec(type)?.[1];
  if (minimum !== undefined) return { type: 'integer', minimum: Number(minimum) };
  const listed = /^list of (.*)$/.exec(type)?.[1];
  if (listed !== undefined) return { type: 'array', items: schemaOfType(listed) };
  const words = [...type.matchAll(/`([^`]+)`/g)].map(([, word]) => word ?? '');
  const rest = type.replaceAll(/`[^`]+`/g, '').replaceAll(/[, ]/g, '');
  if (words.length > 0 && rest === '') return { type: 'string', enum: words };
  if (words.length > 0 && rest === 'oratable') return { anyOf: [{ type: 'string', enum: words }, TABLE] };
  throw new Error(`no schema is known for the type ${JSON.stringify(type)}`);
}

/** A key that is a value and a table as well takes either. */
function schemaOfNode({ own, children }: SchemaNode): JsonSchema {
  if (children.size === 0) return own ?? {};
  const properties = [...children].filter(([name]) => name !== '*');
  const any = children.get('*');
  const table: JsonSchema = {
    type: 'object',
    ...(properties.length === 0
      ? {}
      : { properties: Object.fromEntries(properties.map(([name, child]) => [name, schemaOfNode(child)])) }),
    ...(any === undefined ? {} : { additionalProperties: schemaOfNode(any) }),
  };
  if (own === undefined || own['type'] === 'object') return { ...own, ...table };
  const { description, ...value } = own;
  return { description, anyOf: [value, table] };
}
