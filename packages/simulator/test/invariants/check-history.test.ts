import type { JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { checkHistory, type HistoryOptions } from '../../src/invariants/check-history.ts';
import { userMessage } from '../support/client.ts';
import { call, ENVIRONMENT, IMAGE, message, output, PERMISSIONS, PROJECT } from '../support/items.ts';

const OPTIONS: HistoryOptions = { isTextOnly: false, hasInstructions: true, allowsTrigger: true };
const bundle = message('developer', PERMISSIONS, 'Be kind.');
const context = message('user', PROJECT, ENVIRONMENT);
const trigger: JsonObject = { type: 'compaction_trigger' };
const compaction: JsonObject = { type: 'compaction', encrypted_content: 'x' };
const aborted = message('user', '<turn_aborted>\nStopped.\n</turn_aborted>');

describe('a history that is in order:', () => {
  test.each<readonly [string, readonly JsonObject[]]>([
    [
      'context once per update',
      [bundle, context, userMessage('a'), bundle, userMessage('b'), context, userMessage('c')],
    ],
    [
      'marks of aborted turns beside an update',
      [userMessage('a'), aborted, aborted, bundle, context, userMessage('b')],
    ],
    ['a review result, which is no context', [context, message('user', '<user_action>\nx\n</user_action>')]],
    [
      'a compaction behind messages, and a turn behind it',
      [userMessage('a'), compaction, bundle, context, call('a'), output('a')],
    ],
    ['a trigger at its end', [userMessage('a'), trigger]],
    ['an item of a kind that only the wire knows', [{ type: 'brand_new', content: [{ type: 'newer' }] }]],
    ['an image', [{ ...userMessage('a'), content: [IMAGE] }, call('a'), output('a', [IMAGE])]],
  ])('%s [SIM-150]', (_name, input) => {
    expect(checkHistory(input, OPTIONS)).toEqual([]);
  });

  test('a first developer message stands for instructions that the body leaves out [SIM-150]', () => {
    const input = [message('developer', 'You are an agent.'), bundle, context, userMessage('a')];

    expect(checkHistory(input, { ...OPTIONS, hasInstructions: false })).toEqual([]);
  });
});

describe('a history that breaks an invariant, with its place:', () => {
  type Row = readonly [string, readonly JsonObject[], readonly string[], Partial<HistoryOptions>?];
  const rows: readonly Row[] = [
    [
      'an item that is local',
      [userMessage('a'), { type: 'ghost_snapshot', ghost_commit: { id: 'x' } }],
      ['input[1] is a ghost_snapshot, which is local and never sent'],
    ],
    [
      'an undecoded item',
      [{ type: 'unknown', raw: {} }],
      ['input[0] is of the kind unknown, which is none of the wire'],
    ],
    ['an item that became other', [{ type: 'other' }], ['input[0] is of the kind other, which is none of the wire']],
    [
      'an undecoded part',
      [
        {
          ...userMessage('a'),
          content: [
            { type: 'input_text', text: 'a' },
            { type: 'unknown', raw: {} },
          ],
        },
      ],
      ['input[0].content[1] is of the kind unknown, which is none of the wire'],
    ],
    [
      'an action that became other',
      [{ type: 'web_search_call', action: { type: 'other' } }],
      ['input[0].action (web_search_call) is of the kind other, which is none of the wire'],
    ],
    ['a system message', [message('system', 'x')], ['input[0] is a message of the role system']],
    [
      'a trigger that was stored',
      [trigger, userMessage('a')],
      ['input[0] is a compaction_trigger, which only the end of a streamed request may be'],
    ],
    [
      'a trigger where none is read',
      [userMessage('a'), trigger],
      ['input[1] is a compaction_trigger, which only the end of a streamed request may be'],
      { allowsTrigger: false },
    ],
    [
      'two developer messages of one update',
      [bundle, context, bundle],
      ['input[2] is a developer message of the same update as that in input[0]'],
    ],
    [
      'two contextual messages of one update',
      [userMessage('a'), context, message('user', ENVIRONMENT)],
      ['input[2] is a contextual message of the same update as that in input[1]'],
    ],
    [
      'context in the wrong order',
      [context, bundle],
      ['input[1] is a developer message behind the context of its update in input[0]'],
    ],
    ['two compactions', [compaction, compaction], ['input[1] is a compaction beside that in input[0]']],
    [
      'a call that the compaction stands for',
      [userMessage('a'), call('a'), output('a'), compaction],
      ['input[1] (function_call) stands before the compaction in input[3]'],
    ],
    [
      'images for a model that reads only text',
      [{ ...userMessage('a'), content: [IMAGE] }, call('a'), output('a', [{ type: 'input_text', text: 'x' }, IMAGE])],
      [
        'input[0].content[0] is an image, and the model reads only text',
        'input[2].output[1] is an image, and the model reads only text',
      ],
      { isTextOnly: true },
    ],
  ];
  const cases = rows.map(([name, input, problems, options]) => ({ name, input, problems, options }));
  test.each(cases)('$name [SIM-151]', ({ input, problems, options }) => {
    expect(checkHistory(input, { ...OPTIONS, ...options })).toEqual(problems);
  });
});
