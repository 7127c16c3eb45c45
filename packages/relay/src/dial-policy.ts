import { type AddressClass, addressClass } from '@matryoshka/transport';
import { type Endpoint, MatryoshkaError, formatEndpoint } from '@matryoshka/wire';

/** Kinds of addresses that a last hop dials only if they are allowed by name (R17). */
export type GuardedAddressClass = Exclude<AddressClass, 'global'>;

/**
 * The dial policy of the last hop (R17): only global addresses unless a class is allowed by name; judged by the canonical
 * form, so that no mapped or translated address slips through.
 * @throws MatryoshkaError `relay.destination-forbidden`
 */
export function checkDial(destination: Endpoint, allowed: readonly GuardedAddressClass[]): void {
  const found = addressClass(destination.host);
  if (found !== 'global' && !allowed.includes(found)) {
    throw new MatryoshkaError(
      'relay.destination-forbidden',
      `${formatEndpoint(destination)} is a ${found} address, which this node does not dial for others`,
    );
  }
}
