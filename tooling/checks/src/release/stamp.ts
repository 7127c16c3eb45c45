import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readJson } from '../workspace.ts';

// Descriptors tell the version of the program, also in a browser, where no package.json can be read: it stands in a source.
const FILE = join(ROOT, 'packages', 'node', 'src', 'software.ts');

const { version } = readJson<{ readonly version: string }>('packages', 'node', 'package.json');
const before = readFileSync(FILE, 'utf8');
const after = before.replace(/(?<=SOFTWARE = 'matryoshka )[^']+/, version);
if (!after.includes(`'matryoshka ${version}'`)) throw new Error(`${FILE} has no version any more`);
writeFileSync(FILE, after);
console.log(`all packages are ${version}`);
