import { describe, expect, test } from 'vitest';
import {
  createDemoProject,
  createRepairRehearsal,
  DEMO_VARIANTS,
  type RepairRehearsalOptions,
  Simulator,
} from '../../src/index.ts';
import { asPrompt, lastWords, runLoop, TOOLS, Workplace } from '../support/agent-loop.ts';
import { bodyWith, itemsOf, post, userMessage } from '../support/client.ts';

const start = (options: RepairRehearsalOptions = {}): Promise<Simulator> =>
  Simulator.start({ rules: createRepairRehearsal(options) });
const namesOf = (history: readonly { readonly [key: string]: unknown }[]): readonly unknown[] =>
  history.flatMap((item) => (typeof item['name'] === 'string' ? [item['name']] : []));

describe('the repair rehearsal', () => {
  test.each(DEMO_VARIANTS.filter((variant) => variant.isFixable))(
    'repairs the $name variant with real tools and says what it changed [SIM-30]',
    async ({ name }) => {
      const broken = createDemoProject(name);
      await using workplace = await Workplace.create(broken.files);
      await using sim = await start();

      const history = await runLoop(sim, asPrompt(broken.prompt), { workplace, tools: TOOLS.freeform });

      expect(lastWords(history)).toMatch(/^Repaired: `node --test --test-reporter=spec` passes now\./);
      expect(await workplace.shell('npm test')).toMatch(/^Exit code: 0\n/);
      expect((await workplace.read(broken.files)).map((file) => file.path)).toEqual(
        broken.files.map((file) => file.path),
      );
    },
    120_000,
  );

  test('says that it could not fix what no rule fits and leaves every file as it was [SIM-31]', async () => {
    const broken = createDemoProject('unfixable');
    await using workplace = await Workplace.create(broken.files);
    await using sim = await start({ maxCandidates: 4 });

    const history = await runLoop(sim, asPrompt(broken.prompt), { workplace, tools: TOOLS.freeform });

    expect(lastWords(history)).toMatch(
      /^I could not fix it\. `node --test --test-reporter=spec` still fails and the files are as they were\./,
    );
    expect(lastWords(history)).toContain('reading durations is not written yet');
    expect(lastWords(history)).toContain('I tried 4 single-line change(s)');
    expect(await workplace.read(broken.files)).toEqual(broken.files);
  }, 120_000);

  test('changes nothing when the tests pass already [SIM-33]', async () => {
    const project = createDemoProject('passing');
    await using workplace = await Workplace.create(project.files);
    await using sim = await start();

    const history = await runLoop(sim, asPrompt(project.prompt), { workplace, tools: TOOLS.freeform });

    expect(lastWords(history)).toMatch(/passes already, so there was nothing to repair and nothing was changed\.$/);
    expect(namesOf(history)).not.toContain('apply_patch');
    expect(await workplace.read(project.files)).toEqual(project.files);
  }, 60_000);

  test('uses the function form of apply_patch and no plan when only that is offered [SIM-34]', async () => {
    const broken = createDemoProject('comparison');
    await using workplace = await Workplace.create(broken.files);
    await using sim = await start();

    const history = await runLoop(sim, asPrompt(broken.prompt), { workplace, tools: TOOLS.function });

    expect(lastWords(history)).toMatch(/^Repaired:/);
    expect(namesOf(history)).not.toContain('update_plan');
    expect(history.some((item) => item['type'] === 'custom_tool_call')).toBe(false);
    expect(history.some((item) => item['type'] === 'function_call' && item['name'] === 'apply_patch')).toBe(true);
  }, 60_000);

  test.each(['shell_command', 'apply_patch'])(
    'stops and says so when %s is refused [SIM-35]',
    async (name) => {
      const broken = createDemoProject();
      await using workplace = await Workplace.create(broken.files);
      await using sim = await start();
      const refusal = 'commands need a sandbox that is not available here';

      const history = await runLoop(sim, asPrompt(broken.prompt), {
        workplace,
        tools: TOOLS.freeform,
        intercept: (call) => (call['name'] === name ? refusal : undefined),
      });

      expect(lastWords(history)).toContain(`so I stop here`);
      expect(lastWords(history)).toContain(refusal);
      expect(await workplace.read(broken.files)).toEqual(broken.files);
    },
    60_000,
  );

  test('undoes its change when the tests can no longer be run [SIM-35]', async () => {
    const broken = createDemoProject('unfixable');
    await using workplace = await Workplace.create(broken.files);
    await using sim = await start();
    let hasPatched = false;

    const history = await runLoop(sim, asPrompt(broken.prompt), {
      workplace,
      tools: TOOLS.freeform,
      intercept: (call) => {
        if (call['name'] === 'shell_command' && hasPatched) return 'the sandbox refused this command';
        hasPatched ||= call['name'] === 'apply_patch';
        return undefined;
      },
    });

    expect([hasPatched, lastWords(history)]).toEqual([
      true,
      expect.stringContaining('the sandbox refused this command'),
    ]);
    expect(await workplace.read(broken.files)).toEqual(broken.files);
  }, 60_000);

  test('the same request gets the same answer from another simulator [SIM-36]', async () => {
    const broken = createDemoProject();
    await using workplace = await Workplace.create(broken.files);
    await using first = await start();
    const tools = TOOLS.freeform;
    const history = await runLoop(first, asPrompt(broken.prompt), { workplace, tools, maxRequests: 4 });
    await using second = await start();
    const body = bodyWith({ input: history, tools });
    const withoutIds = async (sim: Simulator): Promise<unknown> =>
      itemsOf(await post(sim, body)).map(({ id: _unused, ...item }) => item);

    expect(await withoutIds(second)).toEqual(await withoutIds(first));

    const rest = await runLoop(second, history, { workplace, tools });
    expect(lastWords(rest)).toMatch(/^Repaired:/);
  }, 60_000);

  test('a thread resumed after an interrupted change undoes that change first [SIM-37]', async () => {
    const broken = createDemoProject('unfixable');
    await using workplace = await Workplace.create(broken.files);
    await using sim = await start({ maxCandidates: 1 });
    const tools = TOOLS.freeform;
    const interrupted = await runLoop(sim, asPrompt(broken.prompt), {
      workplace,
      tools,
      until: (call) => call['name'] === 'apply_patch',
    });
    expect(await workplace.read(broken.files)).not.toEqual(broken.files);

    const history = await runLoop(sim, [...interrupted, userMessage('Please fix the tests after all.')], {
      workplace,
      tools,
    });

    expect(lastWords(history)).toMatch(/^I could not fix it\./);
    expect(await workplace.read(broken.files)).toEqual(broken.files);
  }, 60_000);

  test('explains itself when there is nothing to repair in the prompt, or no shell to do it with [SIM-38]', async () => {
    await using sim = await start();

    const general = itemsOf(await post(sim, bodyWith({ input: [userMessage('Tell me a story.')] })));
    const handless = itemsOf(
      await post(sim, bodyWith({ prompt_cache_key: 'other', input: [userMessage('Fix the tests.')] })),
    );

    expect(lastWords(general)).toMatch(/^This is a rehearsal, not a language model: .* configure a real provider\.$/);
    expect(lastWords(handless)).toMatch(/needs a shell tool/);
  });
});
