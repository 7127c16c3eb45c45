import { type Directory, type DirectoryFactory, memoryDirectory } from '@matryoshka/circuit';
import type { Protocols, Session, SessionEnvironment } from '@matryoshka/peer';
import { type PeerId, VerifiedDescriptor, descriptorNetworkId } from '@matryoshka/session';
import type { MatryoshkaError } from '@matryoshka/wire';
import { DescriptorExchange, EXCHANGE_PROTOCOL } from './exchange.ts';
import { type Announcement, Publisher } from './publisher.ts';

export interface NodeDirectoryParts {
  readonly environment: SessionEnvironment;
  readonly protocols: Protocols;
  readonly store: DirectoryFactory | undefined;
  readonly trusted: ReadonlySet<PeerId>;
  readonly lifetimeMs: number;
  readonly intervalMs: number;
  /** What this node says of itself now, but for what follows from its keys; undefined: nothing. */
  announcement(): Omit<Announcement, 'networkId' | 'staticKey'> | undefined;
  misbehaved(session: Session, fault: MatryoshkaError): void;
}

/** The descriptors that a node has, those it exchanges, and its own one. */
export class NodeDirectory {
  readonly directory: Directory;
  readonly #exchange: DescriptorExchange;
  readonly #publisher: Publisher;
  readonly #stopServing: () => void;

  private constructor(parts: NodeDirectoryParts, directory: Directory, verify: (bytes: Uint8Array) => VerifiedDescriptor) {
    const { environment, intervalMs, lifetimeMs, protocols, trusted } = parts;
    const { clock, identity, provider, psk, staticKey } = environment;
    const networkId = descriptorNetworkId(provider, psk);
    this.directory = directory;
    const misbehaved = (session: Session, fault: MatryoshkaError): void => parts.misbehaved(session, fault);
    this.#exchange = new DescriptorExchange({ clock, provider, directory, trusted, intervalMs, verify, misbehaved });
    this.#publisher = new Publisher({
      clock,
      identity,
      directory,
      lifetimeMs,
      verify,
      announcement: () => {
        const said = parts.announcement();
        return said && { ...said, networkId, staticKey: staticKey.publicKey };
      },
    });
    this.#stopServing = protocols.serve(EXCHANGE_PROTOCOL, this.#exchange.serve);
  }

  /** @throws MatryoshkaError `circuit.directory-failed` */
  static async open(parts: NodeDirectoryParts): Promise<NodeDirectory> {
    const { clock, provider, psk } = parts.environment;
    const networkId = descriptorNetworkId(provider, psk);
    const verify = (bytes: Uint8Array): VerifiedDescriptor =>
      VerifiedDescriptor.verify(provider, bytes, { networkId, unixMs: clock.unixMs() });
    const verifyKept = (bytes: Uint8Array): VerifiedDescriptor =>
      VerifiedDescriptor.verify(provider, bytes, { networkId, unixMs: clock.unixMs(), mayHaveExpired: true });
    const directory = await (parts.store ?? memoryDirectory())({ unixMs: () => clock.unixMs(), verify: verifyKept });
    return new NodeDirectory(parts, directory, verify);
  }

  /** Something of what the node says of itself has changed. */
  publish(): void {
    this.#publisher.publish();
  }

  opened(session: Session): void {
    this.#exchange.opened(session);
  }

  ended(session: Session): void {
    this.#exchange.ended(session);
  }

  async close(): Promise<void> {
    this.#stopServing();
    this.#exchange.close();
    this.#publisher.close();
    await this.directory.close?.();
  }
}
