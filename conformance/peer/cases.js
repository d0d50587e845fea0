/** The same scripted provider for the peer and for `quire`; each client is called by the tools it offers. */
import { cutAfterEvents, failed, functionCall, respond, status, text } from '@quire/simulator';

/**
 * @typedef {import('@quire/simulator').Step} Step
 * @typedef {{ title: string, steps: () => readonly Step[], runs: readonly (readonly string[])[] }} PeerCase
 *   `runs` are the arguments after the common options, one entry per start of the command; `<thread>` stands for the id
 *   of the first one
 */

/**
 * A command, called the way the client offers it.
 * @param {string} command
 * @returns {Step}
 */
function runCommandStep(command) {
  return ({ body }) => {
    const tools = Array.isArray(body['tools']) ? body['tools'].map((tool) => String(Object(tool)['name'])) : [];
    return tools.includes('exec_command')
      ? respond(functionCall('call-1', 'exec_command', { cmd: command, login: false }))
      : respond(functionCall('call-1', 'shell_command', { command, login: false }));
  };
}

const PLAIN = () => respond(text('A plain answer.'));

/** @type {readonly PeerCase[]} */
export const PEER_CASES = [
  { title: 'text turn', steps: () => [PLAIN()], runs: [['Say something.']] },
  { title: 'command turn', steps: () => [runCommandStep('echo out'), PLAIN()], runs: [['Run it.']] },
  { title: 'failing command', steps: () => [runCommandStep('echo boom; exit 3'), PLAIN()], runs: [['Run it.']] },
  {
    title: 'retry after a cut stream',
    steps: () => [cutAfterEvents(/* eventCount */ 3, PLAIN()), PLAIN()],
    runs: [['Say something.']],
  },
  {
    title: 'failed turn, refused prompt',
    steps: () => [respond(failed({ code: 'invalid_prompt', message: 'This prompt is not allowed.' }))],
    runs: [['Say something.']],
  },
  {
    title: 'failed turn, status 400',
    steps: () => [status(/* code */ 400, { body: { error: { message: 'bad thing', code: 'bad_code' } } })],
    runs: [['Say something.']],
  },
  {
    title: 'resume',
    steps: () => [PLAIN(), respond(text('Another answer.'))],
    runs: [['One.'], ['resume', '<thread>', 'Two.']],
  },
];
