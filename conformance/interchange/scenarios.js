/** What a program writes before the other one goes on, and what the model must still see of it. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createPng } from '../png.js';
import { answerTo, run, say } from './exchange.js';

/**
 * @typedef {import('./exchange.js').Exchange} Exchange
 * @typedef {import('./programs.js').ProgramName} ProgramName
 * @typedef {{
 *   title: string, providerName?: string, history: readonly string[],
 *   write: (exchange: Exchange, writer: ProgramName, lab: import('../lab.js').Lab) => Promise<void>,
 * }} Scenario
 *   `history` is the conversation in the words of `conversationOf`, complete and in order
 */

/** @param {Exchange} exchange @param {ProgramName} writer */
async function writeTwoTurns(exchange, writer) {
  await exchange.turn(writer, { prompt: 'One.' });
  await exchange.turn(writer, { prompt: 'Two.' });
}

/** @param {Exchange} exchange @param {ProgramName} writer */
async function writeCompaction(exchange, writer) {
  await writeTwoTurns(exchange, writer);
  await exchange.compact(writer);
}

const FIRST_TURN = ['user: One.', `assistant: ${answerTo('One.')}`];

/** @type {readonly Scenario[]} */
export const SCENARIOS = [
  {
    title: 'plain text',
    history: [...FIRST_TURN, 'user: Two.', `assistant: ${answerTo('Two.')}`],
    write: writeTwoTurns,
  },
  {
    title: 'parallel and failed commands',
    history: [
      'user: Work.',
      'assistant: I look.',
      'call c1',
      'call c2',
      'output c1: marker-one',
      'output c2: marker-two',
      'call c3',
      'output c3: marker-three',
      'assistant: Done.',
    ],
    write: async (exchange, writer) => {
      // The second is done first.
      const parallel = { c1: 'sleep 0.3; echo marker-one', c2: 'echo marker-two; exit 3' };
      const replies = [run(parallel, 'I look.'), run({ c3: 'echo marker-three' }), say('Done.')];
      await exchange.turn(writer, { prompt: 'Work.', replies });
    },
  },
  {
    title: 'an image',
    history: ['user: [image] What is this?', `assistant: ${answerTo('What is this?')}`],
    write: async (exchange, writer, lab) => {
      const image = path.join(lab.repository, 'red.png');
      await writeFile(image, createPng({ width: 8, height: 8, color: [255, 0, 0] }));
      await exchange.turn(writer, { prompt: 'What is this?', image });
    },
  },
  {
    title: 'an interrupted turn',
    history: [...FIRST_TURN, 'user: Wait.', 'assistant: I wait.', 'call c1', 'output c1: aborted', 'interrupted'],
    write: async (exchange, writer) => {
      await exchange.turn(writer, { prompt: 'One.' });
      const replies = [run({ c1: 'sleep 30' }, 'I wait.')];
      await exchange.turn(writer, { prompt: 'Wait.', replies, interrupt: true });
    },
  },
  {
    title: 'a compaction by the program',
    history: ['user: One.', 'user: Two.', 'summary'],
    write: writeCompaction,
  },
  {
    title: 'a compaction by the provider',
    providerName: 'OpenAI',
    history: ['user: One.', 'user: Two.', 'sealed summary'],
    write: writeCompaction,
  },
  {
    title: 'a turn behind a compaction of work',
    history: ['user: One.', 'user: Two.', 'summary', 'user: Three.', `assistant: ${answerTo('Three.')}`],
    write: async (exchange, writer) => {
      const replies = [run({ c1: 'echo marker-one' }), say(answerTo('One.'))];
      await exchange.turn(writer, { prompt: 'One.', replies });
      await exchange.turn(writer, { prompt: 'Two.' });
      await exchange.compact(writer);
      if (writer === 'quire') assert.equal(typeof (await exchange.storedLedger()), 'object', 'no ledger was kept');
      await exchange.turn(writer, { prompt: 'Three.' });
    },
  },
  {
    title: 'a turn taken back',
    history: FIRST_TURN,
    write: async (exchange, writer) => {
      await writeTwoTurns(exchange, writer);
      await exchange.takeBackOneTurn(writer);
    },
  },
  {
    title: 'a turn behind one taken back',
    history: [...FIRST_TURN, 'user: Three.', `assistant: ${answerTo('Three.')}`],
    write: async (exchange, writer) => {
      await writeTwoTurns(exchange, writer);
      await exchange.takeBackOneTurn(writer);
      await exchange.turn(writer, { prompt: 'Three.' });
    },
  },
  {
    title: 'a fork of a fork',
    history: [
      ...FIRST_TURN,
      'user: In the fork.',
      `assistant: ${answerTo('In the fork.')}`,
      'user: In its fork.',
      `assistant: ${answerTo('In its fork.')}`,
    ],
    write: async (exchange, writer) => {
      await exchange.turn(writer, { prompt: 'One.' });
      const fork = await exchange.turn(writer, { prompt: 'In the fork.', fork: true });
      // What the parent does later is no part of the fork.
      await exchange.turn(writer, { prompt: 'Two.' });
      exchange.follow(fork.threadId);
      exchange.follow((await exchange.turn(writer, { prompt: 'In its fork.', fork: true })).threadId);
    },
  },
];
