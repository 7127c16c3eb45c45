import { type Endpoint, formatAddress, parseAddress } from '@matryoshka/wire';

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * One side of a socket in canonical text: an IPv4-mapped address as the IPv4 address it is, without a zone. Undefined
 * once the socket is gone.
 */
export function socketEndpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  if (address === undefined || port === undefined) return undefined;
  const bytes = parseAddress(address.replace(/%.*$/, ''));
  if (bytes === undefined) return undefined;
  const mapped = bytes.length === 16 && MAPPED_PREFIX.every((byte, i) => bytes[i] === byte);
  return { transport: 'tcp', host: formatAddress(mapped ? bytes.subarray(12) : bytes), port };
}

/** What the system says about a failure; several attempts at one name come as one error of errors. */
export function systemReason(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(systemReason))].join('; ');
  return error instanceof Error ? error.message : String(error);
}
