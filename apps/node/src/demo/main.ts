import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { reportError } from '../describe-error.ts';
import { OutgoingFile } from '../file/outgoing-file.ts';
import { Interruption } from '../interruption.ts';
import { formatCount, formatRate } from '../quantities.ts';
import { OTHERS } from './cast.ts';
import { DemoError } from './demo-error.ts';
import { Narrator } from './narrator.ts';
import { Network } from './network.ts';
import { claimLines, knowledgeTable, transferLine } from './report.ts';
import { Screen } from './screen.ts';
import { makeTestFile } from './test-file.ts';
import { Timeline } from './timeline.ts';
import { type Transfer, type Way, identityFile, runTransfer } from './transfer.ts';

interface DemoFlags {
  readonly file?: string;
  readonly size: number;
  readonly json?: true;
  readonly verbose?: true;
}

const RELAYED: Way = { destination: 'D', hops: 3, peers: ['B', 'F'] };
const TELESCOPED: Way = { destination: 'E', through: ['B', 'C', 'D'] };

const ABOUT_RELAYED = `A reaches D over 3 hops. A chooses its first relay at random, and each relay the next one: they are the seed's B and C, whoever they are here.`;
const ABOUT_TELESCOPED = `A reaches E over 4 hops through B, C and D, which A has chosen. It builds the path hop by hop: each hop knows only its neighbours.`;
const ABOUT_ORDER = `Where the steps differ from the seed's: the first message of each handshake rides inside the relay request and its answer inside the acceptance, so that "the request is accepted" and "the handshake begins" are one round trip and not two.`;

const ABOUT_LOOPBACK =
  'This system has no loopback addresses but 127.0.0.1. Add those of the demo; on macOS, for each of them: sudo ifconfig lo0 alias 127.11.0.1';

function createDemo(run: (flags: DemoFlags) => Promise<void>): Command {
  return new Command('demo')
    .description(
      'Starts nodes A to H as processes on different loopback networks, and has A send a file to D through relays, and to E through a circuit.',
    )
    .option('--file <path>', 'the file to send (default: random bytes)')
    .option('--size <MiB>', 'size of the random file', mebibytes, 64)
    .option('--json', 'one JSON object with the result on standard output; the rest goes to standard error')
    .option('--verbose', 'show everything the nodes tell')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  $ pnpm demo --file photo.jpg')
    .action(run);
}

function mebibytes(value: string): number {
  const size = Number(value);
  if (!(size > 0 && size <= 65_536)) throw new InvalidArgumentError('Expected a number of MiB, up to 65536.');
  return size;
}

/** The demo from its beginning to its end; leaves neither processes nor files. */
class Demo {
  readonly #flags: DemoFlags;
  readonly #signal: AbortSignal;
  readonly #screen: Screen;
  readonly #folder = mkdtempSync(join(tmpdir(), 'matryoshka-demo-'));
  readonly #network: Network;
  readonly #timeline: Timeline;
  #narrator: Narrator | undefined;

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
    this.#network = new Network(this.#folder, {
      started: (name, pid) => this.#screen.verbose(name, `process ${pid}`),
      event: (name, event) => {
        this.#screen.verbose(name, JSON.stringify(event));
        this.#timeline.add(name, event);
      },
      errors: (name, text) => this.#screen.verbose(name, text),
    });
  }

  async run(): Promise<void> {
    const screen = this.#screen;
    const startedMs = performance.now();
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

    await this.stop();
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
      `  ${formatCount(size)} bytes went over twice; ${this.#network.started} processes were started and are gone; ${((performance.now() - startedMs) / 1000).toFixed(1)} s in all.`,
    );
    screen.result({ relayed: relayed.result, telescoped: telescoped.result });
  }

  /** Ends all processes and removes what was written. Idempotent. */
  async stop(): Promise<void> {
    this.#timeline.flush();
    this.#screen.endProgress();
    await this.#network.stop();
    const remaining = this.#network.remaining();
    this.#removeFolder();
    if (remaining.length > 0) throw new DemoError(`the processes of ${remaining.join(', ')} are still there`);
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
    const transfer = await this.#network.guard(runTransfer(this.#network, way, file, identityFile(this.#folder)));
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

async function main(flags: DemoFlags): Promise<void> {
  using interruption = new Interruption(false);
  const demo = new Demo(flags, interruption.signal);
  const interrupted = interruption.wait().then(() => 'interrupted' as const);
  const running = demo.run();
  try {
    if ((await Promise.race([running, interrupted])) === 'interrupted') {
      running.catch(() => {});
      process.exitCode = interruption.exitCode;
      process.stderr.write('\ndemo: interrupted\n');
    }
  } finally {
    await demo.stop();
  }
}

try {
  await createDemo(main).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const message = error instanceof DemoError ? error.message : reportError(error).message;
    process.stderr.write(`\ndemo: ${message}\n${message.includes('EADDRNOTAVAIL') ? `${ABOUT_LOOPBACK}\n` : ''}`);
    process.exitCode = 1;
  }
}
