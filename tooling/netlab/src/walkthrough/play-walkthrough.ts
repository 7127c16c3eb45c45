import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lab } from '../lab/lab.ts';
import { parseTopology } from '../topology/parse-topology.ts';
import { until } from '../until.ts';
import { Machine, type Typed } from './machine.ts';
import { type Known, filled, matches } from './placeholders.ts';
import type { Step, Walkthrough } from './walkthrough.ts';

/** How long somebody goes on looking, in milliseconds. */
const PATIENCE_MS = 30_000;
/** Commands that only look: whoever sees not yet what should be there looks again. */
const LOOKS = /^(?:cat|curl|matryoshka (?:status|peers|services|circuit list))\b/;

/** Types everything that a document says on the machines of its network. @throws Error that names the line where it is not as it says */
export async function playWalkthrough({ drawing, steps }: Walkthrough): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'matryoshka-walkthrough-'));
  try {
    await using lab = await Lab.build(parseTopology(drawing));
    const people = new People(lab, folder);
    // oxlint-disable-next-line no-await-in-loop -- in the order of the document
    for (const step of steps) await people.take(step);
  } finally {
    // What was killed may still be writing.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function peerIdIn({ output }: Typed): string {
  return (JSON.parse(output) as { readonly peerId: string }).peerId;
}

/** Those who type, and what they tell each other: peer ids and invites. */
class People implements Known {
  invite: string | undefined;
  readonly #lab: Lab;
  readonly #folder: string;
  readonly #machines = new Map<string, Machine>();
  readonly #ids = new Map<string, Promise<string>>();

  constructor(lab: Lab, folder: string) {
    this.#lab = lab;
    this.#folder = folder;
  }

  peerId(machine: string): Promise<string> {
    const known = this.#ids.get(machine) ?? this.#machine(machine).type('matryoshka identity --json').then(peerIdIn);
    this.#ids.set(machine, known);
    return known;
  }

  async take({ machine, commands, line, output }: Step): Promise<void> {
    const typing = await Promise.all(commands.map((command) => filled(command, this)));
    const failing = commands.some((command) => / # fails\b/.test(command));
    let said: readonly Typed[] = [];
    const good = async (): Promise<boolean> => {
      said = await this.#type(machine, typing);
      const text = said.map((each) => each.output).join('');
      return said.some(({ exitCode }) => exitCode !== 0) === failing && (output === undefined || matches(text, output, this));
    };
    const looks = typing.length === 1 && LOOKS.test(typing[0] as string);
    if (looks ? await until(good, PATIENCE_MS) : await good()) return;
    const found = typing.map((command, index) => `$ ${command}\n${said[index]?.output}(exit code ${said[index]?.exitCode})`).join('\n');
    throw new Error(`line ${line}, on ${machine}:\n${found}${output === undefined ? '' : `\nand not:\n${output.join('\n')}`}`);
  }

  async #type(machine: string, commands: readonly string[]): Promise<readonly Typed[]> {
    const all: Typed[] = [];
    for (const command of commands) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const typed = await this.#machine(machine).type(command);
      // Whoever has seen it need not ask again.
      const peerId = /"peerId":"(mtk1\w+)".*"node is up"/.exec(typed.log ?? '')?.[1];
      if (peerId !== undefined) this.#ids.set(machine, Promise.resolve(peerId));
      this.invite = /matryoshka-invite-[\w-]+/.exec(typed.output)?.[0] ?? this.invite;
      all.push(typed);
    }
    return all;
  }

  #machine(name: string): Machine {
    let machine = this.#machines.get(name);
    if (machine === undefined) this.#machines.set(name, (machine = new Machine(this.#lab.host(name), this.#folder)));
    return machine;
  }
}
