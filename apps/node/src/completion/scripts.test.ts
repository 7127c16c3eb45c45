import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createProgram } from '../program.ts';
import { completionScript } from './scripts.ts';

const program = await createProgram();
const folder = mkdtempSync(join(tmpdir(), 'matryoshka-completion-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers for the last of these words. */
function offered(...words: readonly string[]): readonly string[] {
  const file = join(folder, 'matryoshka.bash');
  writeFileSync(file, completionScript('bash', program));
  const script = `source ${file}; COMP_WORDS=(matryoshka "$@"); COMP_CWORD=$#; _matryoshka; printf '%s\\n' "\${COMPREPLY[@]}"`;
  // From a socket bash takes itself for a remote login, and reads start-up files.
  return execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    .split('\n')
    .filter((word) => word !== '');
}

describe.skipIf(!existsSync('/bin/bash'))('in bash (needs it)', () => {
  test('commands, commands of commands, and their flags', () => {
    expect(offered('st')).toEqual(['status']);
    expect(offered('circuit', '')).toEqual(expect.arrayContaining(['build', 'list', 'close']));
    expect(offered('circuit', 'build', '--h')).toEqual(expect.arrayContaining(['--hops', '--help']));
    expect(offered('connect', 'mtk1peer', '--pa')).toEqual(['--path']);
    expect(offered('nothing', '--pa')).toEqual([]);
  });
});

test('for fish, each command and each flag has a line with what it is for', () => {
  const script = completionScript('fish', program);
  expect(script).toContain("complete -c matryoshka -n '__fish_use_subcommand' -f -a status -d 'what the running node does'");
  expect(script).toMatch(/complete -c matryoshka -n '__fish_seen_subcommand_from status' -l watch -d '.+'/);
  for (const line of script.trimEnd().split('\n')) expect(line.split("'").length % 2, line).toBe(1);
});
