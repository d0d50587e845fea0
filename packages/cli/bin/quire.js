#!/usr/bin/env node
import module from 'node:module';

module.enableCompileCache?.();

const bundle = new URL('../dist/main.js', import.meta.url);
try {
  const { main } = await import(bundle.href);
  await main(process.argv.slice(2));
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  const { existsSync } = await import('node:fs');
  if (existsSync(bundle)) throw error;
  process.stderr.write('quire: the command is not built yet; run `npm run build` in the repository\n');
  process.exitCode = 1;
}
