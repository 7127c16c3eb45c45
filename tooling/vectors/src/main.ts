import { parseArgs } from 'node:util';
import { portableProvider } from '@matryoshka/session';
import { VectorFileError, replayFile } from './vector-file.ts';

const HELP = `Replays files of Noise test vectors, both sides, byte by byte.

Usage: pnpm --silent vectors FILE...

A file has the JSON format of cacophony and snow: {"vectors": [{"protocol_name": ..., "messages": [...]}]}. Vectors of
X448 are skipped; for vectors with ML-KEM-768 (pattern modifier hfs) the fields init_kem_seed and resp_kem_randomness
hold what is random. Each file gives one line on standard output:

  $ pnpm --silent vectors noise-cacophony.json
  {"file":"noise-cacophony.json","total":944,"passed":472,"failed":0,"skipped":472}

What fails is explained on standard error, and then the exit code is 1; it is 2 for a wrong call.
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
  if (parsed.positionals.length === 0) {
    process.stderr.write('vectors: no file is named. Try --help.\n');
    return 2;
  }
  const good = parsed.positionals.map(replay);
  return good.every(Boolean) ? 0 : 1;
}

function replay(path: string): boolean {
  let explained = 0;
  try {
    const result = replayFile(path, portableProvider, (index, name, reason) => {
      explained += 1;
      if (explained <= MAX_EXPLAINED) process.stderr.write(`vectors: ${path}: vector ${index} (${name}): ${reason}\n`);
    });
    if (explained > MAX_EXPLAINED) process.stderr.write(`vectors: ${path}: and ${explained - MAX_EXPLAINED} more\n`);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return result.failed === 0;
  } catch (error) {
    if (!(error instanceof VectorFileError)) throw error;
    process.stderr.write(`vectors: ${error.message}\n`);
    return false;
  }
}

process.exitCode = main(process.argv.slice(2));
