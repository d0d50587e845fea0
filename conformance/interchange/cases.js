/** `quire` and the peer on one thread, in one home folder: what one wrote the other goes on with. */
import assert from 'node:assert/strict';
import { baseInstructionsOf, conversationOf, environmentsIn } from './conversation.js';
import { answerTo, Exchange } from './exchange.js';
import { SCENARIOS } from './scenarios.js';

/**
 * @typedef {import('../run.js').Case} Case
 * @typedef {import('./programs.js').ProgramName} ProgramName
 * @typedef {import('./programs.js').ProgramPaths} ProgramPaths
 * @typedef {import('./scenarios.js').Scenario} Scenario
 * @typedef {{ writer: ProgramName, reader: ProgramName }} Roles
 */

/** @type {readonly Roles[]} */
const DIRECTIONS = [
  { writer: 'peer', reader: 'quire' },
  { writer: 'quire', reader: 'peer' },
];

/**
 * [CONF-70] [CONF-71] [CONF-72] [CONF-73] [CONF-74] [CONF-75] [CONF-76] [CONF-77] [CONF-78] [CONF-79]
 * @param {{ peerPath: string, quirePath: string }} programs
 * @returns {readonly Case[]}
 */
export function createInterchangeCases({ peerPath, quirePath }) {
  const paths = { peer: peerPath, quire: quirePath };
  return DIRECTIONS.flatMap((roles) => [
    ...SCENARIOS.flatMap((scenario) => [
      named(`resumes: ${scenario.title}`, roles, (lab) => takeTurns(lab, paths, { scenario, ...roles })),
      named(`forks: ${scenario.title}`, roles, (lab) => forkInTurns(lab, paths, { scenario, ...roles })),
    ]),
    named('finds by name', roles, (lab) => findByName(lab, paths, roles)),
    named('takes back what was put away', roles, (lab) => archiveAndBack(lab, paths, roles)),
  ]);
}

/** @param {string} action @param {Roles} roles @param {Case} body @returns {Case} */
function named(action, { writer, reader }, body) {
  return Object.defineProperty(body, 'name', { value: `interchange, ${reader} after ${writer}, ${action}` });
}

/**
 * The reader goes on, the writer goes on after it, and the reader once more.
 * @param {import('../lab.js').Lab} lab
 * @param {ProgramPaths} paths
 * @param {Roles & { scenario: Scenario }} options
 */
async function takeTurns(lab, paths, { scenario, writer, reader }) {
  const exchange = await Exchange.open(lab, paths, scenario);
  const log = await begin(exchange, { scenario, writer, lab });
  for (const [program, prompt] of /** @type {const} */ ([
    [reader, 'Go on.'],
    [writer, 'And on.'],
    [reader, 'To the end.'],
  ])) {
    log.check((await exchange.turn(program, { prompt })).request, { program, prompt });
  }
}

/**
 * The reader forks, the writer goes on in that fork and forks it again, the reader goes on in the new one; what was
 * written first is the same as before.
 * @param {import('../lab.js').Lab} lab
 * @param {ProgramPaths} paths
 * @param {Roles & { scenario: Scenario }} options
 */
async function forkInTurns(lab, paths, { scenario, writer, reader }) {
  const exchange = await Exchange.open(lab, paths, scenario);
  const origin = await begin(exchange, { scenario, writer, lab });
  const branch = origin.branch();
  const originId = exchange.threadId ?? '';
  for (const [program, prompt, fork] of /** @type {const} */ ([
    [reader, 'In a fork.', true],
    [writer, 'Further in it.', false],
    [writer, 'In a second fork.', true],
    [reader, 'Further in that.', false],
  ])) {
    const { request, threadId } = await exchange.turn(program, { prompt, fork });
    branch.check(request, { program, prompt });
    exchange.follow(threadId);
  }
  exchange.follow(originId);
  const prompt = 'Where it began.';
  origin.check((await exchange.turn(writer, { prompt })).request, { program: writer, prompt });
}

/**
 * @param {import('../lab.js').Lab} lab
 * @param {ProgramPaths} paths
 * @param {Roles} roles
 */
async function findByName(lab, paths, { writer, reader }) {
  const exchange = await Exchange.open(lab, paths);
  const log = await beginWithOneTurn(exchange, writer);
  await exchange.rename(writer, 'the long way');
  const prompt = 'By its name.';
  log.check((await exchange.turn(reader, { prompt, target: 'the long way' })).request, { program: reader, prompt });
}

/**
 * @param {import('../lab.js').Lab} lab
 * @param {ProgramPaths} paths
 * @param {Roles} roles
 */
async function archiveAndBack(lab, paths, { writer, reader }) {
  const exchange = await Exchange.open(lab, paths);
  const log = await beginWithOneTurn(exchange, writer);
  // The peer keeps a note of its own of what it put away: only what it takes back itself it opens again.
  for (const [archiver, finder] of /** @type {const} */ ([
    [writer, reader],
    [reader, writer],
  ])) {
    await exchange.move(archiver, 'archive');
    assert.deepEqual(await exchange.files(), []);
    await exchange.move(finder, 'unarchive');
    assert.equal((await exchange.files()).length, 1);
    const prompt = `Back at the ${finder}.`;
    log.check((await exchange.turn(finder, { prompt })).request, { program: finder, prompt });
  }
}

/**
 * What each program has to send as base instructions of one thread. The reader sends the text of the header as it is; the
 * peer leaves parts of its own text out for tools that it does not offer, so the writer sends what it sent first.
 * @typedef {Readonly<Record<ProgramName, string | undefined>>} BaseInstructions
 */

/** What was said so far on a thread, and its base instructions, which stay. */
class Log {
  #lines;
  #baseInstructions;

  /** @param {readonly string[]} lines @param {BaseInstructions} baseInstructions */
  constructor(lines, baseInstructions) {
    this.#lines = lines;
    this.#baseInstructions = baseInstructions;
  }

  branch() {
    return new Log(this.#lines, this.#baseInstructions);
  }

  /**
   * The request carries all of it, in order and once, and then the prompt; it will have been answered.
   * @param {import('@quire/simulator').RecordedRequest} request
   * @param {{ program: ProgramName, prompt: string }} turn
   */
  check(request, { program, prompt }) {
    const expected = [...this.#lines, `user: ${prompt}`];
    assert.deepEqual(conversationOf(request), expected, `what ${program} sends with "${prompt}"`);
    assert.equal(baseInstructionsOf(request), this.#baseInstructions[program], `base instructions of ${program}`);
    assert.ok(environmentsIn(request) > 0, `${program} does not tell the model where it is`);
    this.#lines = [...expected, `assistant: ${answerTo(prompt)}`];
  }
}

/**
 * The writer's part of a scenario.
 * @param {Exchange} exchange
 * @param {{ scenario: Scenario, writer: ProgramName, lab: import('../lab.js').Lab }} options
 */
async function begin(exchange, { scenario, writer, lab }) {
  await scenario.write(exchange, writer, lab);
  return new Log(scenario.history, await baseInstructionsIn(exchange, writer));
}

/** @param {Exchange} exchange @param {ProgramName} writer */
async function beginWithOneTurn(exchange, writer) {
  const prompt = 'One.';
  await exchange.turn(writer, { prompt });
  const history = [`user: ${prompt}`, `assistant: ${answerTo(prompt)}`];
  return new Log(history, await baseInstructionsIn(exchange, writer));
}

/** @param {Exchange} exchange @param {ProgramName} writer @returns {Promise<BaseInstructions>} */
async function baseInstructionsIn(exchange, writer) {
  const stored = await exchange.storedBaseInstructions();
  assert.ok(stored !== undefined, 'the header has no base instructions');
  return { quire: stored, peer: stored, [writer]: baseInstructionsOf(exchange.firstRequest()) };
}
