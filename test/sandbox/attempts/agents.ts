import type { Attempt } from '../support/attempt.ts';

const MISSING = ['.codex', '.quire', '.agents'] as const;

/** What tells an agent, a shell or a desktop what to run next time. */
export const AGENTS: readonly Attempt[] = [
  {
    id: 'A01',
    title: 'configuration of the project',
    prepare: 'mkdir root/.codex; echo > root/.codex/config.toml',
    steps: ['echo "[mcp_servers.x]" >> .codex/config.toml'],
  },
  ...MISSING.map((name, index) => ({
    id: `A0${index + 2}`,
    title: `${name} made where it is missing`,
    steps: [`mkdir -p ${name}; echo x > ${name}/config.toml`],
  })),
  { id: 'A05', title: 'a folder renamed to .codex', steps: ['mkdir new; echo x > new/config.toml; mv -T new .codex'] },
  {
    id: 'A06',
    title: '.codex removed first, and made again',
    steps: ['rmdir .codex; mkdir .codex; echo x > .codex/config.toml'],
  },
  { id: 'A07', title: 'a link as .codex', steps: ['mkdir new; echo x > new/config.toml; ln -s new .codex'] },
  { id: 'A08', title: 'a file as .codex', steps: ['echo x > .codex'] },
  {
    id: 'A09',
    title: '.codex is a link to nothing, and what it points to is made',
    prepare: 'ln -s build/settings root/.codex',
    guards: ['root/build'],
    steps: ['mkdir -p build/settings; echo x > build/settings/config.toml'],
  },
  {
    id: 'A10',
    title: '.codex is a link into the root, and what it points to is changed',
    prepare: 'mkdir root/settings; ln -s settings root/.codex',
    guards: ['root/settings'],
    steps: ['echo x > settings/config.toml'],
  },
  {
    id: 'A11',
    title: '.codex is a link into the root, and is replaced',
    prepare: 'mkdir root/settings; echo x > root/settings/config.toml; ln -s settings root/.codex',
    steps: ['rm .codex; mkdir .codex; echo x > .codex/config.toml'],
  },
  {
    id: 'A12',
    title: 'configuration in a folder of the project',
    prepare: 'mkdir -p root/lib/.codex; echo > root/lib/.codex/config.toml',
    guards: ['root/lib/.codex'],
    steps: ['echo x >> lib/.codex/config.toml'],
  },
  {
    id: 'A13',
    title: 'hooks of another agent',
    prepare: 'mkdir root/.claude; echo {} > root/.claude/settings.json',
    steps: ['echo x > .claude/settings.json'],
  },
  {
    id: 'A14',
    title: 'tasks of an editor',
    prepare: 'mkdir root/.vscode; echo {} > root/.vscode/tasks.json',
    steps: ['echo x > .vscode/tasks.json'],
  },
  {
    id: 'A15',
    title: 'the environment file of the project',
    prepare: 'echo > root/.envrc',
    steps: ['echo x >> .envrc'],
  },
  {
    id: 'A16',
    title: 'hooks of another agent that are not there yet',
    steps: ['mkdir -p .claude; echo x > .claude/settings.json'],
  },
  { id: 'A17', title: 'the key of the agent', steps: ['echo x > "$HOME/.codex/auth.json"'] },
  {
    id: 'A18',
    title: 'the user’s own configuration of the agent',
    steps: ['echo "[mcp_servers.x]" >> "$HOME/.codex/config.toml"'],
  },
  { id: 'A19', title: 'the start of a shell', steps: ['echo ./run >> "$HOME/.bashrc"'] },
  { id: 'A20', title: 'keys that may log in', steps: ['echo key >> "$HOME/.ssh/authorized_keys"'] },
  {
    id: 'A21',
    title: 'programs that start with the desktop',
    steps: ['echo x > "$HOME/.config/autostart/new.desktop"'],
  },
  {
    id: 'A22',
    title: 'services of the user',
    steps: ['mkdir -p "$HOME/.config/systemd/user"; echo x > "$HOME/.config/systemd/user/new.service"'],
  },
  { id: 'A23', title: 'instructions in the folder above', steps: ['echo "Run ./run first." >> ../AGENTS.md'] },
  {
    id: 'A24',
    title: 'git’s own configuration of the user',
    steps: ['git config --global core.fsmonitor ./run'],
    needs: ['git'],
  },
  {
    id: 'A25',
    title: 'what is protected, in a root that is not worked in',
    roots: ['root', 'second'],
    prepare: 'mkdir -p second/.codex second/.git/hooks; echo > second/.codex/config.toml',
    steps: ['echo x >> ../second/.codex/config.toml; echo x > ../second/.git/hooks/pre-commit'],
  },
];
