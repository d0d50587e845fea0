/** Starts a program and waits for its end. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * @typedef {{ exitCode: number, output: string }} CommandResult `output` is stdout and stderr as they came; empty when inherited
 */

/**
 * A program killed by a signal has exit code 128 + its number, as in a shell; one that can not be started has 127.
 * @param {readonly string[]} command program and arguments
 * @param {{ cwd: string, inherit?: boolean, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<CommandResult>}
 */
export function runCommand([program = '', ...args], { cwd, inherit = false, env = process.env }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: inherit ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ exitCode: 127, output: `${program}: ${error.message}\n` }));
    child.on('close', (code, signal) => {
      const output = Buffer.concat(chunks).toString('utf8');
      resolve({ exitCode: code ?? 128 + (signal === null ? 0 : (constants.signals[signal] ?? 0)), output });
    });
  });
}
