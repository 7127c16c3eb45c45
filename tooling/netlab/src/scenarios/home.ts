import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliProcess, commandLine } from '../cast/cli-process.ts';
import type { Scenario, Stage } from '../stage.ts';
import { until } from '../until.ts';

const PORT = 9700;
/** Slow enough that a relay can die in the middle, in bytes per second. */
const DOWNLOAD_RATE = 1_500_000;
const DOWNLOAD_BYTES = 6_000_000;

/** A web server at home, reached through two relays, one of which dies. How one gets there is typed in docs/tutorials. */
export const home: Scenario = {
  name: 'home',
  title: 'expose, forward: a web server is reached through two relays, and still is when one of them dies',
  drawing: `
internet
├─ A     66.171.45.90
├─ B     201.1.157.11
├─ C     151.101.5.5
├─ D     180.30.30.20
└─ F     93.184.20.7
`,
  async play(stage) {
    const folder = await mkdtemp(join(tmpdir(), 'matryoshka-home-'));
    try {
      await play(stage, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function play(stage: Stage, folder: string): Promise<void> {
  const dataOf = (name: string): string => join(folder, name);
  const up = async (name: string, ...args: readonly string[]): Promise<{ readonly cli: CliProcess; readonly peerId: string }> => {
    const cli = stage.cli(name, 'up', '--data', dataOf(name), '--listen', `0.0.0.0:${PORT}`, ...args);
    return { cli, peerId: (await cli.event('ready')).peerId };
  };
  const b = await up('B', '--relay');
  const peer = ['--peer', `${b.peerId}@201.1.157.11:${PORT}`];
  const [c, f, d, a] = await Promise.all([
    up('C', '--relay', ...peer),
    up('F', '--relay', ...peer),
    up('D', '--relay', '--no-forward', ...peer),
    up('A', ...peer),
  ]);
  const statusOfB = async () => {
    const from = b.cli.events.length;
    b.cli.tell('status');
    return (await b.cli.event('status', from)).status;
  };
  stage.check('all are connected to B', await until(async () => (await statusOfB()).connections.length === 4), true);

  await writeFile(join(folder, 'index.html'), 'hello from home\n');
  const film = randomBytes(DOWNLOAD_BYTES);
  await writeFile(join(folder, 'film'), film);
  const web = stage.lab
    .host('D')
    .spawn(['python3', '-u', '-m', 'http.server', '8080', '--bind', '127.0.0.1', '-d', folder], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(web.stdout as NonNullable<typeof web.stdout>, 'data');
  const command = (name: string, ...args: readonly string[]) => commandLine(...args, '--data', dataOf(name));
  await stage.lab.host('D').run(command('D', 'expose', 'web', '127.0.0.1:8080', '--allow', a.peerId).join(' '));
  const way = [`${d.peerId}@180.30.30.20:${PORT}`, 'web', '--hops', '3', '--gateway', b.peerId];
  const forward = stage.lab.host('A').spawn(command('A', 'forward', '127.0.0.1:8080', ...way), { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(forward.stdout as NonNullable<typeof forward.stdout>, 'data');
  const curl = (path: string, flags = ''): Promise<string> =>
    stage.lab.host('A').run(`curl -sS --fail --max-time 60 ${flags} http://127.0.0.1:8080/${path}`);
  stage.check('the page is there', await curl(''), 'hello from home\n');
  stage.check('D sees relays only, not A', (await stage.lab.host('D').neighbours()).includes('66.171.45.90'), false);

  const carrying = async (): Promise<string | undefined> => {
    const peerId = (await statusOfB()).relayLinks.find(({ state }) => state === 'open')?.nextHop?.peerId;
    return peerId === c.peerId ? 'C' : peerId === f.peerId ? 'F' : undefined;
  };
  const relay = await carrying();
  stage.check('over B and one more relay', relay !== undefined, true);
  const copy = join(folder, 'copy');
  const download = curl('film', `--limit-rate ${DOWNLOAD_RATE} -o ${copy}`);
  download.catch(() => {});
  await until(async () => (await readFile(copy).catch(() => Buffer.alloc(0))).length > DOWNLOAD_BYTES / 6);
  await stage.lab.host(relay as string).close();
  stage.check(`the next request succeeds after ${relay} has died`, await curl(''), 'hello from home\n');
  await download;
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  stage.check('and so does the download in progress, whole', digest(await readFile(copy)), digest(film));
  stage.check('over another relay', (await carrying()) !== relay, true);
}
