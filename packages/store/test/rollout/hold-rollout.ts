/** A program for tests: opens the rollout it is given, says so, and holds it until its stdin ends. */
import { openRollout } from '../../src/index.ts';

const rollout = await openRollout(process.argv[2] ?? '', { now: () => Date.now() });
process.stdout.write('open\n');
let text = '';
process.stdin.on('data', (chunk) => {
  text += chunk;
});
process.stdin.on('end', () => {
  if (text === '') rollout.close();
  process.exitCode = 0;
});
