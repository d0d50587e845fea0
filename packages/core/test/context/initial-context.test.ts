import { describe, expect, test } from 'vitest';
import { contextMessages } from '../../src/context/initial-context.ts';
import { settings } from '../thread/harness.ts';

describe('the first context', () => {
  test('is one developer bundle and one contextual user message [CORE-70]', () => {
    const messages = contextMessages(
      settings({
        developerInstructions: 'Be brief.',
        projectInstructions: 'Use tabs.\n',
        environment: {
          shellName: 'bash',
          currentDate: '2025-11-21',
          timezone: 'Europe/Berlin',
          git: {
            root: '/repo',
            commitHash: 'abc',
            branch: 'main',
            remotes: { origin: 'https://example.com/a.git?x=1&y=2' },
          },
        },
      }),
      { baseline: undefined, history: [] },
    );

    expect(messages.map((message) => message.role)).toEqual(['developer', 'user']);
    const texts = messages.map((message) =>
      message.content.map((part) => (part.type === 'input_text' ? part.text : '')),
    );
    expect(texts[0]?.[0]).toMatch(
      /^<permissions instructions>\nSandbox mode: danger-full-access\. .*<\/permissions instructions>$/s,
    );
    expect(texts[0]?.[1]).toBe('Be brief.');
    expect(texts[1]).toEqual([
      '# AGENTS.md instructions for /repo\n\n<INSTRUCTIONS>\nUse tabs.\n\n</INSTRUCTIONS>',
      [
        '<environment_context>',
        '  <cwd>/repo</cwd>',
        '  <shell>bash</shell>',
        '  <workspace_configuration>',
        '    <workspace path="/repo" hint="repo">',
        '      <latest_git_commit_hash>abc</latest_git_commit_hash>',
        '      <associated_remote_urls>',
        '        <remote name="origin">https://example.com/a.git?x=1&amp;y=2</remote>',
        '      </associated_remote_urls>',
        '    </workspace>',
        '  </workspace_configuration>',
        '  <current_date>2025-11-21</current_date>',
        '  <timezone>Europe/Berlin</timezone>',
        '</environment_context>',
      ].join('\n'),
    ]);
  });
});
