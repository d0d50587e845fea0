import { readBefore, UsageError } from '../exec/options.ts';
import { joinWords } from './join-words.ts';
import { inThread, onDisk, type ThreadCommand } from './thread-command.ts';

const TARGET = ['last', 'all'];
/** Where a thread is opened. */
const OPENING = [...TARGET, 'profile', 'enable', 'disable'];
const TASK = [...OPENING, 'json', 'receipt', 'color', 'deadline'];

/** The sub-commands of `quire thread`, in the order of its help. What one does is loaded when it is done. */
export const THREAD_COMMANDS: Readonly<Record<string, ThreadCommand>> = {
  list: {
    options: ['all', 'archived', 'limit', 'json'],
    read: (words) => {
      const limit = words.values.get('limit')?.[0];
      const choice = {
        anyDirectory: words.values.has('all'),
        archived: words.values.has('archived'),
        limit: limit === undefined ? undefined : readCount('--limit', limit),
      };
      return onDisk(words, async (context, options) => {
        const { listThreads } = await import('./list-threads.ts');
        await listThreads({ ...choice, ...options }, context);
      });
    },
  },
  show: {
    options: [...TARGET, 'json'],
    read: (words) => {
      const target = words.takeTarget();
      return onDisk(words, async (context, options) => {
        const { showThread } = await import('./show-thread.ts');
        await showThread({ target, ...options }, context);
      });
    },
  },
  rename: {
    options: TARGET,
    read: (words) => {
      const target = words.takeTarget();
      const name = words.take('a name; an empty one takes the name away');
      return onDisk(words, async (context, options) => {
        const { renameThread } = await import('./change-thread.ts');
        await renameThread({ target, name, ...options }, context);
      });
    },
  },
  archive: {
    options: TARGET,
    read: (words) => {
      const target = words.takeTarget();
      return onDisk(words, async (context, options) => {
        const { archiveThread } = await import('./change-thread.ts');
        await archiveThread({ target, ...options }, context);
      });
    },
  },
  unarchive: {
    options: [],
    read: (words) => {
      const id = words.take('a thread id');
      return onDisk(words, async (context, options) => {
        const { unarchiveThread } = await import('./change-thread.ts');
        await unarchiveThread({ target: { kind: 'id', id }, ...options }, context);
      });
    },
  },
  fork: {
    options: [...OPENING, 'before'],
    read: (words) =>
      inThread(words, {
        thread: { kind: 'fork', target: words.takeTarget(), beforeUserMessage: readBefore(words.values) },
        submission: { kind: 'none' },
      }),
  },
  rollback: {
    options: OPENING,
    read: (words) => {
      const target = words.takeTarget();
      const turns = readCount('the number of turns', words.take('the number of turns to take back'));
      return onDisk(words, async (context, options) => {
        const { rollBackThread } = await import('./change-thread.ts');
        await rollBackThread({ target, turns, ...options }, context);
      });
    },
  },
  compact: {
    options: [...TASK, 'model', 'oss', 'local-provider'],
    read: (words) =>
      inThread(words, {
        thread: { kind: 'resume', target: words.takeTarget() },
        submission: { kind: 'task', task: { task: 'compact' } },
      }),
  },
  undo: {
    options: TASK,
    read: (words) =>
      inThread(words, {
        thread: { kind: 'resume', target: words.takeTarget() },
        submission: { kind: 'task', task: { task: 'undo' } },
      }),
  },
  shell: {
    options: TASK,
    read: (words) => {
      const target = words.takeTarget();
      const script = scriptOf(words.takeAll());
      return inThread(words, {
        thread: { kind: 'resume', target },
        submission: { kind: 'task', task: { task: 'shell', script } },
      });
    },
  },
};

/** One word is a line for the shell; several are one command and its arguments, which stay as they are. */
function scriptOf(words: readonly string[]): string {
  const [only = ''] = words;
  const script = words.length > 1 ? joinWords(words) : only;
  if (script.trim() === '') throw new UsageError('shell needs a command');
  return script;
}

function readCount(what: string, text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count > 0) return count;
  throw new UsageError(`${what} must be a whole number above 0, not ${JSON.stringify(text)}`);
}
