import { stringAt } from '@quire/protocol';
import {
  customToolCall,
  functionCall,
  type Output,
  type Rehearsal,
  reasoning,
  rehearse,
  respond,
  text,
} from '@quire/simulator';

export const BUSY_FINAL = 'All rounds are done.';

interface Round {
  /** The calls of the round; their ids also stand in their commands and paths. */
  readonly calls: readonly string[];
  readonly outputs: readonly Output[];
}

/**
 * A model that lets tools leave processes behind in every way known here. It goes on with the first round whose calls
 * the request does not hold, so it also goes on after a thread was killed and resumed.
 */
export function busyTurn(sleepSeconds: string): Rehearsal {
  const rounds = busyRounds(sleepSeconds);
  return rehearse((request) => {
    const called = new Set(request.input.map((item) => stringAt(item, 'call_id')));
    const next = rounds.find(({ calls }) => !calls.every((callId) => called.has(callId)));
    if (next === undefined) return respond(text(BUSY_FINAL));
    // Calls of a round that were made before the kill are not made again: ids are unique within a thread.
    return respond(...next.outputs.filter((_, index) => !called.has(callIdOf(next, index))));
  });
}

/** Outputs that are no calls come first. */
function callIdOf({ calls, outputs }: Round, index: number): string | undefined {
  return calls[index - (outputs.length - calls.length)];
}

function busyRounds(sleepSeconds: string): readonly Round[] {
  const sleep = `sleep ${sleepSeconds}`;
  return [
    {
      calls: ['call-a'],
      outputs: [reasoning('Start.'), text('First round.'), shell('call-a', `${sleep} & echo one; sleep 0.05`)],
    },
    {
      calls: ['call-b', 'call-c'],
      outputs: [
        shell('call-b', `yes | head -c 300000 | wc -c; ${sleep} | cat &`),
        shell('call-c', `setsid ${sleep} & echo two; sleep 0.1`, { login: true }),
      ],
    },
    { calls: ['call-d'], outputs: [text('A file now.'), addFile('call-d')] },
    {
      calls: ['call-e', 'call-f'],
      outputs: [
        shell('call-e', `(setsid nohup sh -c '(${sleep} &)' >/dev/null 2>&1 &); echo three`),
        shell('call-f', `env -i /bin/${sleep} & sleep 0.1; echo four >&2`),
      ],
    },
    { calls: ['call-g'], outputs: [reasoning('Nearly.'), shell('call-g', `printf '%s' done; exit 3`)] },
  ];
}

function shell(callId: string, script: string, options: { readonly login: boolean } = { login: false }): Output {
  return functionCall(callId, 'shell_command', { command: `: ${callId}; ${script}`, ...options });
}

function addFile(callId: string): Output {
  return customToolCall(callId, 'apply_patch', `*** Begin Patch\n*** Add File: ${callId}.txt\n+text\n*** End Patch`);
}
