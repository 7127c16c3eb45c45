import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolEnvironment } from '../pnpm.ts';
import { ROOT, publishedPackages } from '../workspace.ts';

// What is going to be published: packed into the folder `release`, installed as users do, run by each Node that is promised.

const NODES = ['22', '24', '26'];
const OUT = join(ROOT, 'release');
const env = toolEnvironment();

/** A relayed connection between two nodes over real sockets, in JavaScript that the oldest Node understands. */
const PROGRAM = `
import { asyncStream, createNode, formatEndpoint } from '@matryoshka/node';
import { tcp } from '@matryoshka/transport/tcp';
const start = () => createNode({ transports: [tcp()], listen: ['127.0.0.1:0'], relay: { enabled: true } });
const [alice, bob] = [await start(), await start()];
bob.serve('/echo/1', (stream) => stream.attach({ data: (bytes) => void stream.write(bytes) }));
const connection = await alice.connect(bob.peerId + '@' + formatEndpoint(bob.listening[0]), { hops: 1 });
const stream = asyncStream(await connection.openStream('/echo/1'));
await stream.write(new TextEncoder().encode('hello'));
const text = new TextDecoder().decode(await stream.read());
if (text !== 'hello' || connection.kind !== 'relayed') throw new Error('it said ' + text);
await Promise.all([alice.close(), bob.close()]);
console.log(process.version, 'relayed');
`;

function run(cwd: string, program: string, ...args: readonly string[]): void {
  console.log(`$ ${program} ${args.join(' ')}`);
  const { status, error } = spawnSync(program, args, { cwd, env, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${program} ended with ${status ?? String(error)}`);
}

const packages = publishedPackages();
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT);
run(ROOT, 'tsc', '-b', ...packages.map(({ path }) => path));
run(ROOT, 'pnpm', '--recursive', ...packages.flatMap(({ manifest }) => ['--filter', manifest.name]), 'pack', '--pack-destination', OUT);

const folder = mkdtempSync(join(tmpdir(), 'matryoshka-release-'));
try {
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "version": "1.0.0", "private": true, "type": "module" }\n');
  writeFileSync(join(folder, 'program.js'), PROGRAM);
  run(folder, 'npm', 'install', '--no-audit', '--no-fund', ...readdirSync(OUT).map((file) => join(OUT, file)));
  for (const version of NODES) {
    run(folder, 'npx', '-y', `node@${version}`, 'program.js');
    run(folder, 'npx', '-y', `node@${version}`, join('node_modules', '@matryoshka', 'cli', 'dist', 'main.js'), '--version');
  }
  console.log(`\n${OUT}: ${readdirSync(OUT).length} tarballs, good with Node ${NODES.join(', ')}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
