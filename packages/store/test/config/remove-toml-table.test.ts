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
