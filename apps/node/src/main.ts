#!/usr/bin/env node
import module from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The `engines` of this package; an older one would fail somewhere, with words that help nobody. */
const [MAJOR, MINOR] = [22, 12] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < MAJOR || (major === MAJOR && minor < MINOR)) {
  process.stderr.write(
    `matryoshka: this is Node ${process.versions.node}, and Node ${MAJOR}.${MINOR} or a newer one is needed\n  see https://nodejs.org\n`,
  );
  process.exitCode = 1;
} else {
  // Commands are short: most of their time goes into compiling the same code as before. In a folder of the user's own,
  // since what is in it is run.
  const cache = process.env.XDG_CACHE_HOME;
  module.enableCompileCache(join(cache !== undefined && isAbsolute(cache) ? cache : join(homedir(), '.cache'), 'matryoshka'));
  const { run } = await import('./program.ts');
  process.exitCode = await run(process.argv.slice(2));
}
