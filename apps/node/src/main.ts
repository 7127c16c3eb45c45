#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

// Commands are short: most of their time goes into compiling the same code as before. In a folder of the user's own, since
// what is in it is run.
const cache = process.env.XDG_CACHE_HOME;
enableCompileCache(join(cache !== undefined && isAbsolute(cache) ? cache : join(homedir(), '.cache'), 'matryoshka'));

const { run } = await import('./program.ts');
process.exitCode = await run(process.argv.slice(2));
