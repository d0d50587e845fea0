import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { GROUPS } from './attempts/all.ts';
import { play } from './support/play.ts';
test('x', async () => {
  const out: string[] = [];
  const only = process.env['ONLY']?.split(',');
  const jobs = GROUPS.flatMap(([, a]) => a).filter(({ id }) => !only || only.some((o) => id.startsWith(o)));
  const start = performance.now();
  const lane = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const line: string[] = [job.id, job.title];
      for (const backend of [undefined, 'bubblewrap', 'landlock'] as const) {
        const t = performance.now();
        const { traces, said } = await play(job, backend).catch((e) => ({ traces: ['ERROR ' + e.message], said: '' }));
        const bad = backend === undefined ? traces.length === 0 : traces.length > 0;
        line.push(`${backend ?? 'free'} ${traces.length} ${Math.round(performance.now() - t)}ms` + (bad || only ? ` !!! ${JSON.stringify(traces)} ${JSON.stringify(said)}` : ''));
      }
      out.push(line.join('\n    '));
    }
  };
  await Promise.all([lane(), lane(), lane()]);
  writeFileSync('/tmp/escape-out.txt', out.sort().join('\n') + `\n${performance.now() - start}\n`);
}, 300000);
