import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CliProcess } from '../cast/cli-process.ts';
import type { Scenario, Stage } from '../stage.ts';
import { until } from '../until.ts';

const MAIN = fileURLToPath(new URL('../../../../apps/node/src/main.ts', import.meta.url));
const PORT = 9700;
const RELAYS = ['B', 'C', 'F'] as const;
/** Slow enough that a relay can die in the middle, in bytes per second. */
const DOWNLOAD_RATE = 1_500_000;
const DOWNLOAD_BYTES = 6_000_000;

/** What a new user does, with nothing but the commands: a web server reached through two relays, one of which dies. */
export const home: Scenario = {
  name: 'home',
  title: 'init, up, invite, join, expose, forward: a web server is reached through two relays, and still is when one of them dies',
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
      await play(stage, new Users(stage, folder), folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function play(stage: Stage, users: Users, folder: string): Promise<void> {
  const peerIds = new Map<string, string>();
  const up = async (name: string, ...args: readonly string[]): Promise<void> => {
    peerIds.set(name, (await users.up(name, ...args).event('ready')).peerId);
  };
  // The first machine makes the network, the others join it by one line.
  await users.run('B', `init --yes --listen 0.0.0.0:${PORT} --relay`);
  await up('B');
  const { invite } = JSON.parse(await users.run('B', `invite --at 201.1.157.11:${PORT} --json`)) as { readonly invite: string };
  await Promise.all(
    ['C', 'F', 'D', 'A'].map(async (name) => {
      await users.run(name, `join ${invite} --listen 0.0.0.0:${PORT} ${name === 'A' ? '' : '--relay'} --json`);
      await up(name, ...(name === 'D' ? ['--set', 'relay.forward=false'] : []));
    }),
  );
  const peers = async (name: string): Promise<number> => (JSON.parse(await users.run(name, 'peers --json')) as unknown[]).length;
  stage.check('all have joined B', await until(async () => (await peers('B')) === 4), true);

  await writeFile(join(folder, 'index.html'), 'hello from home\n');
  const film = randomBytes(DOWNLOAD_BYTES);
  await writeFile(join(folder, 'film'), film);
  const web = stage.lab
    .host('D')
    .spawn(['python3', '-u', '-m', 'http.server', '8080', '--bind', '127.0.0.1', '-d', folder], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(web.stdout as NonNullable<typeof web.stdout>, 'data');
  await users.run('D', `expose web 127.0.0.1:8080 --allow ${peerIds.get('A')}`);
  await users.hold('A', `forward 127.0.0.1:8080 ${peerIds.get('D')}@180.30.30.20:${PORT} web --hops 3 --gateway ${peerIds.get('B')}`);
  const curl = (path: string, flags = ''): Promise<string> =>
    stage.lab.host('A').run(`curl -sS --fail --max-time 60 ${flags} http://127.0.0.1:8080/${path}`);
  stage.check('the page is there', await curl(''), 'hello from home\n');
  stage.check('D sees relays only, not A', (await stage.lab.host('D').neighbours()).includes('66.171.45.90'), false);

  const carrying = async (): Promise<string | undefined> => {
    const { node } = JSON.parse(await users.run('B', 'status --json')) as {
      readonly node: { readonly relayLinks: readonly { readonly state: string; readonly nextHop?: { readonly peerId: string } }[] };
    };
    const peerId = node.relayLinks.find(({ state }) => state === 'open')?.nextHop?.peerId;
    return RELAYS.find((name) => peerIds.get(name) === peerId);
  };
  const relay = await carrying();
  stage.check('over B and one more relay', relay === 'C' || relay === 'F', true);
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

/** The people at their machines. */
class Users {
  readonly #stage: Stage;
  readonly #folder: string;

  constructor(stage: Stage, folder: string) {
    this.#stage = stage;
    this.#folder = folder;
  }

  /** Starts the node of a machine. */
  up(name: string, ...args: readonly string[]): CliProcess {
    return this.#stage.cli(name, 'up', '--data', join(this.#folder, name), ...args);
  }

  /** Runs a command on a machine to its end, and returns what it said. */
  run(name: string, command: string): Promise<string> {
    return this.#stage.lab
      .host(name)
      .run(`${process.execPath} --conditions=@matryoshka/source ${MAIN} ${command} --data ${join(this.#folder, name)}`);
  }

  /** Starts a command that lasts, and waits until it says something. */
  async hold(name: string, command: string): Promise<void> {
    const child = this.#stage.lab
      .host(name)
      .spawn([process.execPath, '--conditions=@matryoshka/source', MAIN, ...command.split(' '), '--data', join(this.#folder, name)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  }
}
