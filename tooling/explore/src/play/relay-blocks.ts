import type { Session } from '@matryoshka/peer';
import { RelayService } from '@matryoshka/relay';
import type { BlockWatch } from '@matryoshka/simulation';

/**
 * Notes what goes over relay links, by their ports, until the function returned is called: every relay is shown the
 * records of the sessions inside, which no wire shows. One world at a time.
 */
export function noteRelayData(blocks: BlockWatch): () => void {
  const { prototype } = RelayService;
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this`
  const original = prototype.data;
  prototype.data = function (this: RelayService, session: Session, high: number, low: number, flags: number, bytes: Uint8Array): void {
    blocks.note(`the relay link with port ${(BigInt(high) << 32n) | BigInt(low)}`, bytes);
    original.call(this, session, high, low, flags, bytes);
  };
  return () => void (prototype.data = original);
}
