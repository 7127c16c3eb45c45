import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { OutgoingFile } from '../file/outgoing-file.ts';
import { formatCount, formatRate } from '../quantities.ts';
import { ORIGINATOR, OTHERS } from './cast.ts';
import { DemoError } from './demo-error.ts';
import { identityFile } from './identity-file.ts';
import { Narrator } from './narrator.ts';
import { Network } from './network.ts';
import { claimLines, knowledgeTable, transferLine } from './report.ts';
import { Screen } from './screen.ts';
import { buildPageIfNeeded } from './stay/page-build.ts';
import { Stay } from './stay/stay.ts';
import { makeTestFile } from './test-file.ts';
import { Timeline } from './timeline.ts';
import { type Transfer, type Way, runTransfer } from './transfer.ts';

export interface DemoFlags {
  readonly file?: string;
  readonly size: number;
  readonly stay?: true;
  readonly port?: number;
  readonly reviveAfter?: number;
  readonly json?: true;
  readonly verbose?: true;
}

/** How long a relay is down that was killed, in seconds. */
export const REVIVE_AFTER_SECONDS = 15;

/** When whoever has watched the network ends it, in milliseconds: nobody waits for its background traffic. */
const STOP_WITHIN_MS = 1_000;

const RELAYED: Way = { destination: 'D', hops: 3, peers: ['B', 'F'] };
const TELESCOPED: Way = { destination: 'E', through: ['B', 'C', 'D'] };

const ABOUT_RELAYED = `A reaches D over 3 hops. A chooses its first relay at random, and each relay the next one: they are the seed's B and C, whoever they are here.`;
const ABOUT_TELESCOPED = `A reaches E over 4 hops through B, C and D, which A has chosen. It builds the path hop by hop: each hop knows only its neighbours.`;
const ABOUT_ORDER = `Where the steps differ from the seed's: the first message of each handshake rides inside the relay request and its answer inside the acceptance, so that "the request is accepted" and "the handshake begins" are one round trip and not two.`;
const ABOUT_STAYING = `A talks with D over relays, and with E through a circuit. Its dashboard shows how, and kills relays, which are started again after a while; here is told what becomes of the connections. Ctrl-C ends everything. The dashboard, for a browser on this machine:`;

/** The demo from its beginning to its end; leaves neither processes nor files. */
export class Demo {
  readonly #flags: DemoFlags;
  readonly #signal: AbortSignal;
  readonly #screen: Screen;
  readonly #folder = mkdtempSync(join(tmpdir(), 'matryoshka-demo-'));
  readonly #network: Network;
  readonly #timeline: Timeline;
  #narrator: Narrator | undefined;
  #stay: Stay | undefined;
  #staying = false;

  constructor(flags: DemoFlags, signal: AbortSignal) {
    this.#flags = flags;
    this.#signal = signal;
    this.#screen = new Screen({ json: flags.json === true, verbose: flags.verbose === true });
    // Whatever ends this process: nothing of it stays. The nodes end with their standard input.
    process.on('exit', this.#removeFolder);
    this.#timeline = new Timeline((name, event) => {
      this.#narrator?.tell(name, event);
      this.#screen.progress(event);
    });
    this.#network = new Network(
      this.#folder,
      {
        started: (name, pid) => this.#screen.verbose(name, `process ${pid}`),
        event: (name, event) => {
          this.#screen.verbose(name, JSON.stringify(event));
          this.#timeline.add(name, event);
        },
        errors: (name, text) => this.#screen.verbose(name, text),
      },
      (role) => this.#stay?.argumentsOf(role) ?? [],
    );
  }

  /** Both transfers; with `--stay` what follows them, too, until the signal aborts. */
  async run(stop: () => void): Promise<void> {
    const screen = this.#screen;
    const startedMs = performance.now();
    const { stay, port = 0, reviveAfter = REVIVE_AFTER_SECONDS } = this.#flags;
    if (stay === true) {
      this.#stay = await Stay.prepare({ folder: this.#folder, port, reviveAfterMs: reviveAfter * 1000 });
      await buildPageIfNeeded(() => screen.say('Building the dashboard, which takes some seconds.'), this.#signal);
    }
    const file = await this.#file();
    const { size } = await stat(file);
    for (const { name, receives } of OTHERS) if (receives) mkdirSync(this.#network.directory(name));

    screen.heading('The network');
    await this.#network.start();
    for (const { role, address } of this.#network.members)
      screen.say(`  ${role.name}  ${address}${role.meshed ? '' : '  (connected to nobody)'}`);
    const relays = this.#network.members.filter(({ role }) => role.meshed).map(({ role }) => role.name);
    screen.say(
      `\n  Each is a process that listens on its own network and dials from it. ${relays.join(', ')} are connected to each other.`,
    );

    screen.heading('1. Relayed: the relays choose the path');
    screen.paragraph(ABOUT_RELAYED);
    const relayed = await this.#transfer(RELAYED, file);
    screen.heading('2. Telescoped: A chooses the path');
    screen.paragraph(ABOUT_TELESCOPED);
    const telescoped = await this.#transfer(TELESCOPED, file);
    screen.paragraph(`\n${ABOUT_ORDER}`);

    if (stay !== true) await this.stop();
    screen.heading('Summary');
    for (const [name, { result, connectSeconds }] of [
      ['relayed', relayed],
      ['telescoped', telescoped],
    ] as const) {
      screen.say(
        `  ${name.padEnd(10)}  A > ${result.path.join(' > ')}: ${formatRate(result.bytes / result.seconds)}, connected in ${(connectSeconds * 1000).toFixed(0)} ms`,
      );
    }
    screen.say(
      `  ${formatCount(size)} bytes went over twice; ${this.#network.started} processes were started${stay === true ? '' : ' and are gone'}; ${((performance.now() - startedMs) / 1000).toFixed(1)} s in all.`,
    );
    screen.result({ relayed: relayed.result, telescoped: telescoped.result });
    if (this.#stay !== undefined) await this.#stayOn(this.#stay, stop);
  }

  /** Ends all processes and removes what was written. Idempotent. */
  async stop(): Promise<void> {
    this.#timeline.flush();
    this.#screen.endProgress();
    await Promise.all([this.#network.stop(this.#staying ? STOP_WITHIN_MS : undefined), this.#stay?.[Symbol.asyncDispose]()]);
    const remaining = this.#network.remaining();
    this.#removeFolder();
    if (remaining.length > 0) throw new DemoError(`the processes of ${remaining.join(', ')} are still there`);
  }

  /** Whether the network is up only to be watched: then its end is no interruption. */
  get staying(): boolean {
    return this.#staying;
  }

  async #stayOn(stay: Stay, stop: () => void): Promise<void> {
    const screen = this.#screen;
    screen.heading('3. The network stays');
    await stay.run({
      network: this.#network,
      say: (line) => screen.say(`  ${new Date().toTimeString().slice(0, 8)}  ${line}`),
      onReady: (url) => {
        this.#staying = true;
        screen.paragraph(ABOUT_STAYING);
        screen.say(`  ${url}\n`);
        screen.result({ dashboard: url });
      },
      stop,
      signal: this.#signal,
    });
  }

  async #file(): Promise<string> {
    const { file, size } = this.#flags;
    if (file !== undefined) {
      // Says at once, and clearly, what is wrong with it.
      await using _readable = await OutgoingFile.open(file);
      return file;
    }
    const made = join(this.#folder, 'random.bin');
    await makeTestFile(made, Math.ceil(size * 1024 * 1024), this.#signal);
    return made;
  }

  async #transfer(way: Way, file: string): Promise<Transfer> {
    const screen = this.#screen;
    const { names } = this.#network;
    this.#narrator = new Narrator(names, (name, text) => screen.step(name, text));
    screen.label(`  ${basename(file)} to ${way.destination}`);
    const transfer = await this.#network.guard(runTransfer(this.#network, way, file, identityFile(this.#folder, ORIGINATOR.name)));
    this.#timeline.flush();
    screen.endProgress();
    this.#narrator = undefined;
    const { result, claims, source, sha256 } = transfer;
    screen.say(`\n  ${transferLine(result.bytes, result.seconds, result.sha256Match)}\n  SHA-256 ${sha256}`);
    screen.say(`  ${way.destination}'s view of the source endpoint: ${source}`);
    screen.say('\nWhat each node was handed for it, as the nodes themselves tell (names stand for peer ids):\n');
    screen.say(knowledgeTable(result.knowledge, names, result.path));
    screen.say('\nThings to note, each checked against what the nodes told:\n');
    screen.say(claimLines(claims));
    if (!result.sha256Match) throw new DemoError(`what ${way.destination} stored is not what A sent`);
    const broken = claims.filter(({ holds }) => !holds);
    if (broken.length > 0) throw new DemoError(`what the nodes told contradicts:\n${broken.map(({ text }) => `- ${text}`).join('\n')}`);
    return transfer;
  }

  readonly #removeFolder = (): void => rmSync(this.#folder, { recursive: true, force: true });
}
