import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '@quire/protocol';

type FieldCheck = {
  readonly isRequired: boolean;
  readonly expected: string;
  readonly holds: (value: JsonValue) => boolean;
};

const isString = (value: JsonValue): boolean => typeof value === 'string';
const isBoolean = (value: JsonValue): boolean => typeof value === 'boolean';
const isObjectArray = (value: JsonValue): boolean => Array.isArray(value) && value.every(isJsonObject);
const isStringArray = (value: JsonValue): boolean => Array.isArray(value) && value.every(isString);
const isStringRecord = (value: JsonValue): boolean => isJsonObject(value) && Object.values(value).every(isString);

/** Source: the body table of the transport, both generations of clients (`instructions` and `tools` may be absent). */
const FIELDS: Readonly<Record<string, FieldCheck>> = {
  model: required('a non-empty string', (value) => isString(value) && value !== ''),
  instructions: optional('a string', isString),
  input: required('an array of objects', isObjectArray),
  tools: optional('an array of objects', isObjectArray),
  tool_choice: required('"auto"', (value) => value === 'auto'),
  parallel_tool_calls: required('a boolean', isBoolean),
  reasoning: required('an object or null', (value) => value === null || isJsonObject(value)),
  store: required('a boolean', isBoolean),
  stream: required('true', (value) => value === true),
  include: required('an array of strings', isStringArray),
  service_tier: optional('a string', isString),
  prompt_cache_key: optional('a non-empty string', (value) => isString(value) && value !== ''),
  text: optional('an object with verbosity or format', isTextControls),
  client_metadata: optional('an object of strings', isStringRecord),
};

/** A `response.create` frame is that body and more. Source: transport sheet section 4.2. */
const FRAME_FIELDS: Readonly<Record<string, FieldCheck>> = {
  ...FIELDS,
  type: required('"response.create"', (value) => value === 'response.create'),
  previous_response_id: optional('a non-empty string', (value) => isString(value) && value !== ''),
  generate: optional('a boolean', isBoolean),
};

/** Source: transport sheet section 19 and the public reference of chat completions. */
const CHAT_FIELDS: Readonly<Record<string, FieldCheck>> = {
  model: required('a non-empty string', (value) => isString(value) && value !== ''),
  messages: required('an array of objects', isObjectArray),
  tools: optional('an array of objects', isObjectArray),
  tool_choice: optional('"auto"', (value) => value === 'auto'),
  parallel_tool_calls: optional('a boolean', isBoolean),
  reasoning_effort: optional('a string', isString),
  verbosity: optional('a string', isString),
  service_tier: optional('a string', isString),
  stream: required('true', (value) => value === true),
  stream_options: optional('an object', isJsonObject),
};

const BODIES = { responses: FIELDS, frame: FRAME_FIELDS, chat: CHAT_FIELDS };

/** Fields of the body: present where required, of the right type, and none that the API does not know. */
export function checkBody(body: JsonObject, kind: keyof typeof BODIES): readonly string[] {
  const problems: string[] = [];
  const fields: Readonly<Record<string, FieldCheck>> = BODIES[kind];
  for (const [name, field] of Object.entries(fields)) {
    const value = body[name];
    if (value === undefined) {
      if (field.isRequired) problems.push(`the body lacks ${name}, which must be ${field.expected}`);
    } else if (!field.holds(value)) problems.push(`the body's ${name} must be ${field.expected}`);
  }
  for (const name of Object.keys(body)) {
    if (!Object.hasOwn(fields, name)) problems.push(`the body has the unknown field ${name}`);
  }
  return problems;
}

/** Tools are told apart by name; built-in ones have only a type. */
export function checkTools(body: JsonObject): readonly string[] {
  const tools = body['tools'];
  if (!Array.isArray(tools)) return [];
  const problems: string[] = [];
  const names = new Set<string>();
  for (const tool of tools) {
    if (!isJsonObject(tool)) continue;
    const called = tool['function']; // chat nests the name
    const name =
      (isJsonObject(called) ? stringAt(called, 'name') : undefined) ?? stringAt(tool, 'name') ?? stringAt(tool, 'type');
    if (name === undefined) problems.push('a tool has neither name nor type');
    else if (names.has(name)) problems.push(`the tool ${name} is offered twice`);
    else names.add(name);
  }
  return problems;
}

function isTextControls(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const { verbosity, format } = value;
  if (verbosity === undefined && format === undefined) return false;
  if (verbosity !== undefined && !isString(verbosity)) return false;
  if (format === undefined) return true;
  return (
    isJsonObject(format) &&
    format['type'] === 'json_schema' &&
    format['strict'] === true &&
    isString(format['name'] ?? null) &&
    isJsonObject(format['schema'])
  );
}

function required(expected: string, holds: (value: JsonValue) => boolean): FieldCheck {
  return { isRequired: true, expected, holds };
}

function optional(expected: string, holds: (value: JsonValue) => boolean): FieldCheck {
  return { isRequired: false, expected, holds };
}
