import { expect, test } from 'vitest';
import { changeTomlText } from '../../src/config/edit-toml.ts';

const remove = (text: string, name = 'old') =>
  changeTomlText(text, [{ path: ['mcp_servers', name], value: undefined }], 'file');

test.each([
  [
    'the last of its kind, with a table inside it',
    '# head\nmodel = "m" # why\n\n[mcp_servers.old] # note\ncommand = "x"\n\n[mcp_servers.old.env]\nA = "1"\n\n# about tui\n[tui]\nx = 1\n',
    '# head\nmodel = "m" # why\n\n# about tui\n[tui]\nx = 1\n',
  ],
  [
    'one between others, its parts apart',
    '[mcp_servers.a]\ncommand = "a"\n# of old?\n\n[mcp_servers."old"]\ncommand = "x"\n# of b\n[mcp_servers.b]\ncommand = "b"\n\n[mcp_servers.old.env]\nA = "1"\n',
    '[mcp_servers.a]\ncommand = "a"\n# of old?\n\n# of b\n[mcp_servers.b]\ncommand = "b"\n',
  ],
  [
    'the only thing in a file with a text that looks like a header',
    'note = """\n[mcp_servers.old]\n"""\n[mcp_servers.old]\ncommand = "x"\n',
    'note = """\n[mcp_servers.old]\n"""\n[mcp_servers]\n',
  ],
  ['the whole file', '[mcp_servers.old]\ncommand = "x"\n', ''],
  [
    'one with Windows line ends',
    'a = 1\r\n\r\n[mcp_servers.old]\r\ncommand = "x"\r\n\r\n# tui\r\n[tui]\r\nx = 1\r\n',
    'a = 1\r\n\r\n# tui\r\n[tui]\r\nx = 1\r\n',
  ],
  [
    'one written inline',
    'mcp_servers = { old = { command = "x" }, b = { command = "b" } } # all\n',
    'mcp_servers = { b = { command = "b" } } # all\n',
  ],
])('a server that is removed takes no comment of others with it: %s [MCP-79]', async (_, before, after) => {
  expect(await remove(before)).toBe(after);
});

const unset = (text: string, ...path: readonly string[]) => changeTomlText(text, [{ path, value: undefined }], 'file');

test.each([
  [
    'with lists of tables inside it, and no header of its parent',
    '# mine\nmodel = "m"\t# why\n\n[[hooks.PreToolUse]]\nmatcher = "Bash"\n\n[[hooks.PreToolUse.hooks]]\ntype = "command"\ncommand = "check"\n\n[[hooks.PreToolUse]]\nmatcher = "Edit"\n\n# about tui\n[tui]\nx = 1\n',
    '# mine\nmodel = "m"\t# why\n\n# about tui\n[tui]\nx = 1\n',
  ],
  [
    'beside others, below a header that stays',
    '[hooks] # all\n\n# of start\n[[hooks.SessionStart]]\nx = 1\n# of use?\n\n[[hooks.PreToolUse]]\nmatcher = "Bash"\n# of stop\n[[hooks.Stop]]\nx = 2\n',
    '[hooks] # all\n\n# of start\n[[hooks.SessionStart]]\nx = 1\n# of use?\n\n# of stop\n[[hooks.Stop]]\nx = 2\n',
  ],
  ['the last of its parent, which has a header', '[hooks]\n[[hooks.PreToolUse]]\nx = 1\n', '[hooks]\n'],
  [
    'written inline',
    '# a\n[hooks]\n# b\nPreToolUse = [{ x = 1 }] # c\n# d\ny = 1\n',
    '# a\n[hooks]\n# b\n# d\ny = 1\n',
  ],
])('a list of tables that is removed takes no comment of others with it: %s [PROJ-42]', async (_, before, after) => {
  expect(await unset(before, 'hooks', 'PreToolUse')).toBe(after);
});
