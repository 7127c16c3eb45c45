import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from '@matryoshka/checks/workspace';
import { libraries } from './libraries.ts';
import { buildReference } from './reference.ts';

const out = join(ROOT, 'docs', 'api');
rmSync(out, { recursive: true, force: true });
const { faults, exported } = await buildReference(libraries(), out);
if (faults.length > 0) {
  console.error(faults.join('\n'));
  console.error(`\nNothing was written: ${faults.length} to mend.`);
  process.exitCode = 1;
} else {
  for (const [name, count] of exported) console.log(`${name.padEnd(32)} ${count} exports`);
  console.log(`\n${relative(process.cwd(), join(out, 'index.html'))}`);
}
