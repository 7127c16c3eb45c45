import { measureBuilds } from '../build/builds.ts';
import type { CountedBuilds } from '../build/build-contender.ts';
import { DuplexChannel } from '../channel/channel.ts';
import { type SendWindows, type SourceCommands, sourceCommands } from '../channel/sender.ts';
import { retry } from '../processes/retry.ts';
import { serveRole } from '../processes/role.ts';
import { TorControl } from './control.ts';
import { socksConnect } from './socks.ts';

// The application at the client: it controls circuits, and opens streams on one of them.

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Ports of the client, and where streams end. */
export interface Places {
  readonly control: Place;
  readonly socks: Place;
  readonly sink: Place;
}

/** What the role answers to. */
export interface TorSourceCommands extends SourceCommands {
  /**
   * Waits until the client can build circuits through `path`, fingerprints of relays; streams go to the sink, with so
   * much bulk data on the way.
   */
  target(places: Places, path: readonly string[], windows: SendWindows, timeoutMs: number): Promise<void>;
  /** Builds and closes circuits for so long. */
  builds(durationMs: number, parallel: number): Promise<CountedBuilds>;
}

interface Building {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

let control: TorControl | undefined;
let places: Places | undefined;
let path = '';
/** The circuit that streams are attached to. */
let circuit: string | undefined;
let handshakes = 0;
const building = new Map<string, Building>();
/** News of circuits whose number is not known yet. */
const early = new Map<string, string>();

function onEvent(line: string): void {
  const [kind, id, status] = line.split(' ') as [string, string, string];
  // The client's own streams, to directories, find their way themselves.
  if (kind === 'STREAM' && status === 'NEW' && line.includes('PURPOSE=USER'))
    void control?.ask(`ATTACHSTREAM ${id} ${circuit ?? 0}`).catch(() => {});
  if (kind !== 'CIRC') return;
  if (status === 'EXTENDED') handshakes++;
  if (status !== 'BUILT' && status !== 'FAILED' && status !== 'CLOSED') return;
  if (status !== 'BUILT' && id === circuit) circuit = undefined;
  const waiting = building.get(id);
  building.delete(id);
  if (waiting === undefined) early.set(id, status);
  else if (status === 'BUILT') waiting.resolve();
  else waiting.reject(new Error(`tor: ${line}`));
}

function controller(): TorControl {
  if (control === undefined) throw new Error('no target');
  return control;
}

async function buildCircuit(): Promise<string> {
  const [reply] = await controller().ask(`EXTENDCIRCUIT 0 ${path}`);
  const id = reply?.split(' ')[1] as string;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const status = early.get(id);
  if (status === undefined) building.set(id, { resolve, reject });
  else if (status === 'BUILT') resolve();
  else reject(new Error(`tor: circuit ${id} ${status}`));
  await promise;
  return id;
}

async function closeCircuit(id: string): Promise<void> {
  await controller().ask(`CLOSECIRCUIT ${id}`);
  early.delete(id);
}

async function open(): Promise<DuplexChannel> {
  if (places === undefined) throw new Error('no target');
  return new DuplexChannel(await socksConnect(places.socks, places.sink));
}

async function withCircuit<T>(run: () => Promise<T>): Promise<T> {
  circuit ??= await buildCircuit();
  return run();
}

let commands = sourceCommands(open);

serveRole<TorSourceCommands>({
  transfer: (durationMs, channels) => withCircuit(() => commands.transfer(durationMs, channels)),
  exchange: (durationMs) => withCircuit(() => commands.exchange(durationMs)),
  messages: (durationMs, length) => withCircuit(() => commands.messages(durationMs, length)),
  roundTrips: (durationMs, loaded) => withCircuit(() => commands.roundTrips(durationMs, loaded)),
  async target(given, relays, windows, timeoutMs) {
    commands = sourceCommands(open, windows);
    places = given;
    path = relays.map((fingerprint) => `$${fingerprint}`).join(',');
    control = await TorControl.open(given.control.host, given.control.port, onEvent);
    await control.ask('SETEVENTS CIRC STREAM');
    // The client cannot before it has a consensus with all of them in it.
    circuit = await retry(timeoutMs, buildCircuit);
  },
  async builds(durationMs, parallel) {
    const before = handshakes;
    const builds = await measureBuilds(
      async () => {
        const id = await buildCircuit();
        return () => closeCircuit(id);
      },
      durationMs,
      parallel,
    );
    return { ...builds, handshakes: handshakes - before };
  },
});
