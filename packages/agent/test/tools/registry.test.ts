import { isJsonObject, type JsonObject, type ToolSpec } from '@quire/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileSchema } from '../../../core/src/tools/dynamic/json-schema.ts';
import { FORMS, openRegistry, type Registry } from './registry.ts';
import { outcomeOf, toolsOf } from './tool-scene.ts';
import { callOf, FILE_ROWS, furnish, ROWS } from './tool-table.ts';

/** Run by the provider, so that nothing is called here. */
const HOSTED = new Set(['web_search', 'local_shell']);

/** Calls of these tools build on nothing before them. */
const NO_REQUEST = undefined as never;

let registry: Registry;
let calls = 0;
beforeAll(async () => {
  registry = await openRegistry();
  await furnish(registry.repository);
});
afterAll(() => registry[Symbol.asyncDispose]());

const nameOf = (spec: ToolSpec): string => ('name' in spec ? spec.name : spec.type);

test('every tool that a turn registers, in every form of commands, has its row in the table [TOOL-12]', () => {
  const covered = new Set([...ROWS, ...FILE_ROWS].map(({ tool }) => tool));
  for (const form of FORMS) {
    const { tools } = registry.toolSet(form);
    const uncovered = tools
      .filter(({ name }) => !covered.has(name) && !name.startsWith('mcp__fix__'))
      .map(({ name }) => name);
    expect(uncovered, form).toEqual([]);
    for (const { name, kind } of tools) {
      const rows = [...ROWS, ...FILE_ROWS].filter(({ tool }) => tool === name);
      expect(
        rows.every((row) => row.kind === kind),
        name,
      ).toBe(true);
    }
  }
  const all = new Set(registry.toolSet('shell').tools.map(({ name }) => name));
  expect([...covered].filter((tool) => !all.has(tool))).toEqual([]);
});

test('tools are offered in the documented order, and only the command tools of the form [TOOL-13]', () => {
  const commands: Readonly<Record<(typeof FORMS)[number], readonly string[]>> = {
    shell: ['shell'],
    'local-shell': ['local_shell'],
    'shell-command': ['shell_command'],
    'unified-exec': ['exec_command', 'write_stdin'],
    none: [],
  };
  for (const form of FORMS) {
    const names = registry.toolSet(form).specs.map(nameOf);
    expect(names.filter((name) => !name.startsWith('mcp__'))).toEqual([
      ...commands[form],
      'list_mcp_resources',
      'list_mcp_resource_templates',
      'read_mcp_resource',
      'update_plan',
      'js_repl',
      'js_repl_reset',
      'request_user_input',
      'apply_patch',
      'grep_files',
      'read_file',
      'list_dir',
      'web_search',
      'view_image',
      'spawn_agent',
      'send_input',
      'resume_agent',
      'wait',
      'close_agent',
      'look_up',
    ]);
    const servers = names.filter((name) => name.startsWith('mcp__'));
    expect(servers).toEqual(servers.toSorted());
    expect(names.indexOf('look_up')).toBe(names.length - 1);
  }
});

test('the schema of every offered function is a JSON schema of an object that takes nothing else [TOOL-14]', () => {
  for (const form of FORMS) {
    const { tools, specs } = registry.toolSet(form);
    for (const spec of specs) {
      if (spec.type !== 'function') {
        expect(HOSTED.has(spec.type) || spec.type === 'custom', nameOf(spec)).toBe(true);
        continue;
      }
      const parameters = JSON.parse(JSON.stringify(spec.parameters)) as JsonObject;
      expect({ name: spec.name, strict: spec.strict, type: parameters['type'] }).toEqual({
        name: spec.name,
        strict: false,
        type: 'object',
      });
      expect(() => compileSchema(parameters), spec.name).not.toThrow();
      expect(isJsonObject(parameters['properties']), spec.name).toBe(true);
      if (tools.find(({ name }) => name === spec.name)?.kind === 'mcp' && spec.name.startsWith('mcp__')) continue;
      expect(spec.description, spec.name).not.toBe('');
      expect(looseObjects(parameters), spec.name).toEqual([]);
      const known = Object.keys(parameters['properties'] as JsonObject);
      const required = (parameters['required'] ?? []) as readonly string[];
      expect(
        required.filter((name) => !known.includes(name)),
        spec.name,
      ).toEqual([]);
    }
  }
});

test('requests of one turn offer byte for byte the same tools while nothing changed [TOOL-15]', async () => {
  for (const form of FORMS) {
    calls += 1;
    const first = `same-${calls}`;
    const { requests } = await registry.play(
      [
        () => [callOf({ tool: 'update_plan', form: 'function' }, first, { plan: [] })],
        () => [callOf({ tool: 'js_repl_reset', form: 'function' }, `${first}-b`, {})],
      ],
      { form },
    );
    expect(requests).toHaveLength(3);
    const sent = new Set(requests.map(({ rawBody }) => /"tools":(.*?),"tool_choice"/s.exec(rawBody.toString())?.[1]));
    expect(sent.size).toBe(1);
    expect([...sent][0]).toBeDefined();
    expect(toolsOf(requests[0]).length).toBeGreaterThan(20);
  }
});

describe('a tool that only some models are offered', () => {
  test.each(FILE_ROWS)('$title: form of the answer, wrong arguments, hooks [TOOL-16]', async (row) => {
    const place = { repository: registry.repository, mark: '' };
    const run = async (args: JsonObject | string) => {
      calls += 1;
      const id = `file-${calls}`;
      const { requests } = await registry.play([() => [callOf(row, id, args)]]);
      return String(requests.at(-1)?.toolOutputs.find(({ callId }) => callId === id)?.output);
    };
    registry.hooked.length = 0;
    expect(await run(row.args(place, NO_REQUEST))).toMatch(row.output(place));
    expect(registry.hooked).toEqual([`before ${row.tool}`, `after ${row.tool}`]);
    if (row.wrong !== undefined) expect(await run(row.wrong.args)).toMatch(row.wrong.output);
    expect(await run('{"a":')).toMatch(/^failed to parse function arguments: /);
    registry.behaviour.before = () => Promise.resolve('deny');
    expect(await run(row.args(place, NO_REQUEST))).toBe(`${row.tool} was denied by a hook: no`);
    registry.behaviour.before = () => Promise.resolve('go-on');
  });

  test.each(FILE_ROWS)('$title is ended by an interrupt [TOOL-16]', async (row) => {
    const place = { repository: registry.repository, mark: '' };
    const controller = new AbortController();
    registry.behaviour.before = () => {
      controller.abort(new Error('enough'));
      return new Promise(() => undefined);
    };
    calls += 1;
    const id = `file-${calls}`;
    const { events } = await registry.play([() => [callOf(row, id, row.args(place, NO_REQUEST))]], {
      signal: controller.signal,
    });
    registry.behaviour.before = () => Promise.resolve('go-on');
    expect(outcomeOf(events)).toMatchObject({ kind: 'interrupted' });
    const { requests } = await registry.play([]);
    const output = requests.at(-1)?.toolOutputs.find(({ callId }) => callId === id)?.output;
    expect(output).toMatch(row.cancel.output);
  });
});

/** Paths of the objects of a schema that take further fields. */
function looseObjects(schema: JsonObject, path = '#'): readonly string[] {
  const own = schema['type'] === 'object' && schema['additionalProperties'] !== false ? [path] : [];
  const properties = isJsonObject(schema['properties']) ? Object.entries(schema['properties']) : [];
  const below = properties.flatMap(([name, entry]) =>
    isJsonObject(entry) ? looseObjects(entry, `${path}/${name}`) : [],
  );
  const items = isJsonObject(schema['items']) ? looseObjects(schema['items'], `${path}/items`) : [];
  return [...own, ...below, ...items];
}
