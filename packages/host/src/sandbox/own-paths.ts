import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Read by shells, git, desktops, package managers and remote logins of the user, at some later time. */
const READ_AT_START: readonly string[] = [
  '.bash_aliases',
  '.bash_login',
  '.bash_logout',
  '.bash_profile',
  '.bashrc',
  '.config/autostart',
  '.config/environment.d',
  '.config/fish',
  '.config/git',
  '.config/systemd',
  '.gitconfig',
  '.inputrc',
  '.kshrc',
  '.local/bin',
  '.netrc',
  '.npmrc',
  '.pam_environment',
  '.profile',
  '.ssh',
  '.xprofile',
  '.xsessionrc',
  '.zlogin',
  '.zprofile',
  '.zshenv',
  '.zshrc',
  'bin',
];

/** What belongs to the user and not to a project: counts where the home folder itself may be written. They exist. */
export function findOwnPaths(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const home = environment['HOME'] || homedir();
  const agentHome = environment['QUIRE_HOME'] || environment['CODEX_HOME'] || join(home, '.codex');
  return [...READ_AT_START.map((name) => join(home, name)), resolve(agentHome)].filter((path) => existsSync(path));
}
