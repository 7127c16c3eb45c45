import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { IDENTITY_SEED_LENGTH, identityFromSeed, portableProvider } from '@matryoshka/session';
import { createSecretFile } from '../../secret-file.ts';
import { identityFile } from '../identity-file.ts';
import { ORIGINATOR, OTHERS, type Role } from '../cast.ts';

/** The service that D and E offer: what comes goes back. */
export const ECHO = 'echo';
/** The relays that A knows from the beginning. */
export const FIRST_RELAYS: readonly string[] = ['B', 'F'];

/** What nodes are started with that stay: the same identity also when one is started again, and descriptors to choose circuits from. */
export class StayingNodes {
  readonly #folder: string;
  readonly #peerIds: ReadonlyMap<string, string>;
  readonly #echoPort: number;

  private constructor(folder: string, peerIds: ReadonlyMap<string, string>, echoPort: number) {
    this.#folder = folder;
    this.#peerIds = peerIds;
    this.#echoPort = echoPort;
  }

  /**
   * Makes their identities.
   * @param echoPort - of the loopback server that the service {@link ECHO} leads to
   */
  static async prepare(folder: string, echoPort: number): Promise<StayingNodes> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const peerIds = new Map<string, string>();
    for (const { name } of [ORIGINATOR, ...OTHERS]) {
      const seed = randomBytes(IDENTITY_SEED_LENGTH);
      // oxlint-disable-next-line no-await-in-loop
      await createSecretFile(identityFile(folder, name), 'identity', () => seed.toString('hex'));
      peerIds.set(name, identityFromSeed(portableProvider, seed).peerId);
    }
    return new StayingNodes(folder, peerIds, echoPort);
  }

  /** The more arguments of a node. */
  argumentsOf({ name, meshed, receives }: Role): readonly string[] {
    const settings: Readonly<Record<string, unknown>> = {
      // Nobody waits for the background traffic to end.
      drainMs: 0,
      ...(meshed && { 'directory.exchangeWith': this.#exchangeWith(name) }),
      ...(receives && { services: `[{ name = "${ECHO}", target = "127.0.0.1:${this.#echoPort}", allow = ["*"] }]` }),
    };
    const set = Object.entries(settings).flatMap(([path, value]) => ['--set', `${path}=${String(value)}`]);
    return ['--identity', identityFile(this.#folder, name), ...set];
  }

  /** Relays give descriptors to each other, and the first ones to A. */
  #exchangeWith(name: string): string {
    const relays = OTHERS.filter((role) => role.meshed && role.name !== name).map((role) => role.name);
    const names = FIRST_RELAYS.includes(name) ? [...relays, ORIGINATOR.name] : relays;
    return names.map((other) => this.#peerIds.get(other)).join(',');
  }
}
