import { delimiter } from 'node:path';
import { parseArgs } from 'node:util';
import { portableProvider } from '@matryoshka/session';
import { VectorFileError, replayFile } from './vector-file.ts';
import { type VectorPath, vectorPaths } from './vector-paths.ts';

const HELP = `Replays files of Noise test vectors, both sides, byte by byte.

Usage: pnpm --silent vectors [FILE | FOLDER]...

A file has the JSON format of cacophony, snow and noise-c: {"vectors": [{"protocol_name": ..., "messages": [...]}]}. Of a
folder all .json and .txt files are replayed that hold such vectors. With no argument, the files and folders in
MATRYOSHKA_VECTORS are (separated by "${delimiter}").

Vectors of protocols that are not known here (X448, the fallback modifier) are skipped. For vectors with ML-KEM-768
(pattern modifier hfs) the fields init_kem_seed and resp_kem_randomness hold what is random. A vector with "fail": true
passes where replaying it does not succeed. Each file gives one line on standard output:

  $ pnpm --silent vectors noise-cacophony.json
  {"file":"noise-cacophony.json","total":944,"passed":472,"failed":0,"skipped":472,"skippedBecause":{"unknown key agreement 448":472}}

What fails is explained on standard error, and then the exit code is 1, as it is where there is nothing to replay; it is
2 for a wrong call.
`;

// Enough to find out what is wrong, and few enough to be read.
const MAX_EXPLAINED = 10;

function main(args: readonly string[]): number {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } });
  } catch (error) {
    process.stderr.write(`vectors: ${(error as Error).message}\nTry --help.\n`);
    return 2;
  }
  if (parsed.values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const fromEnvironment = (process.env['MATRYOSHKA_VECTORS'] ?? '').split(delimiter).filter((path) => path !== '');
  const named = parsed.positionals.length > 0 ? parsed.positionals : fromEnvironment;
  if (named.length === 0) {
    process.stderr.write('vectors: no file is named. Try --help.\n');
    return 2;
  }
  const results = vectorPaths(named).map(replay);
  if (!results.some((result) => result !== 'nothing')) process.stderr.write('vectors: there is nothing to replay.\n');
  return results.includes('replayed') && !results.includes('failed') ? 0 : 1;
}

function replay({ path, found }: VectorPath): 'replayed' | 'failed' | 'nothing' {
  let explained = 0;
  try {
    const result = replayFile(path, portableProvider, (index, name, reason) => {
      explained += 1;
      if (explained <= MAX_EXPLAINED) process.stderr.write(`vectors: ${path}: vector ${index} (${name}): ${reason}\n`);
    });
    if (explained > MAX_EXPLAINED) process.stderr.write(`vectors: ${path}: and ${explained - MAX_EXPLAINED} more\n`);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return result.failed === 0 ? 'replayed' : 'failed';
  } catch (error) {
    if (!(error instanceof VectorFileError)) throw error;
    // Folders of test vectors hold those of other things too.
    if (found && error.unrelated) return 'nothing';
    process.stderr.write(`vectors: ${error.message}\n`);
    return 'failed';
  }
}

process.exitCode = main(process.argv.slice(2));
