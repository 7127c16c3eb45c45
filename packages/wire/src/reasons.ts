/**
 * Who is at fault: our `caller`, the `peer`, whoever could not prove what it claimed (`authentication`), the `network`,
 * a `policy` (ours or theirs), nobody (`closed`), or this code (`bug`).
 */
export type ReasonKind = 'caller' | 'peer' | 'authentication' | 'network' | 'policy' | 'closed' | 'bug';

/** One entry of the registry. */
export interface Reason {
  /** As it travels; never means something else. */
  readonly number: number;
  /** Who is at fault. */
  readonly kind: ReasonKind;
  /** For people. */
  readonly text: string;
}

// docs/protocol.md §10. Numbers never change their meaning; the high byte is the package that owns the code.
const table = {
  // 0x00xx general
  'closed': [0x0000, 'closed', 'closed by the user'],
  'bug': [0x0001, 'bug', 'a broken invariant: please report it'],
  'unknown': [0x0002, 'peer', 'a reason this version does not know'],
  'aborted': [0x0003, 'caller', 'given up by the caller'],
  'shutdown': [0x0004, 'closed', 'the node is stopping'],

  // 0x01xx wire
  'wire.truncated': [0x0100, 'peer', 'the message ends too early'],
  'wire.trailing': [0x0101, 'peer', 'bytes follow where the message should end'],
  'wire.invalid': [0x0102, 'peer', 'a field has a value that is not allowed'],
  'wire.too-long': [0x0103, 'peer', 'a length is above its limit'],
  'wire.unknown-critical': [0x0104, 'peer', 'a message that must be understood is unknown'],
  'wire.endpoint-syntax': [0x0105, 'caller', 'not an endpoint'],

  // 0x02xx session and peer
  'session.handshake-no-answer': [0x0200, 'network', 'the handshake got no answer'],
  'session.handshake-failed': [0x0201, 'authentication', 'the handshake failed'],
  'session.wrong-peer': [0x0202, 'authentication', 'another peer than the demanded one answered'],
  'session.anonymous-refused': [0x0203, 'policy', 'anonymous peers are not welcome here'],
  'session.incompatible': [0x0204, 'policy', 'no common protocol version or suite'],
  'session.record-failed': [0x0205, 'authentication', 'a record could not be authenticated'],
  'session.unexpected': [0x0206, 'peer', 'a message that is not allowed now'],
  'session.link-lost': [0x0207, 'network', 'the link under the session broke'],
  'session.resume-unknown': [0x0208, 'policy', 'no such session to resume'],
  'session.path-stalled': [0x0209, 'network', 'the other side does not answer any more'],
  'session.busy': [0x020a, 'policy', 'too many handshakes in progress'],
  'session.credit-exceeded': [0x020b, 'peer', 'more was sent than was granted'],
  'session.acknowledge-invalid': [0x020c, 'peer', 'an acknowledgement of what was never sent'],
  'session.key-exhausted': [0x020d, 'policy', 'the record limit of the key is reached'],
  'session.identity-invalid': [0x020e, 'caller', 'not a valid identity, peer id or static key'],
  'session.self': [0x020f, 'policy', 'the other side is this node itself'],
  'session.timeout': [0x0210, 'network', 'it took too long'],
  'session.refused': [0x0211, 'policy', 'the other side does not accept this connection'],
  'session.clock-skew': [0x0212, 'policy', 'the clocks differ by more than an hour'],
  'session.resume-failed': [0x0213, 'authentication', 'the resume of a session was not proven'],
  'session.evicted': [0x0214, 'policy', 'too many suspended sessions: this one was given up'],
  'session.not-reroutable': [0x0215, 'caller', 'the connection cannot move to another path from here'],
  'session.descriptor-forged': [0x0220, 'authentication', 'a descriptor is not signed by the peer it names'],
  'session.descriptor-expired': [0x0221, 'policy', 'a descriptor is not valid at this time'],
  'session.descriptor-foreign': [0x0222, 'policy', 'a descriptor is of another network'],

  // 0x03xx streams
  'stream.unknown-protocol': [0x0300, 'policy', 'the other side does not serve this protocol'],
  'stream.reset': [0x0301, 'closed', 'the stream was reset'],
  'stream.limit': [0x0302, 'policy', 'too many open streams'],
  'stream.unknown': [0x0303, 'peer', 'no such stream'],
  'stream.failed': [0x0304, 'closed', 'the handler of the stream failed'],

  // 0x04xx relay
  'relay.disabled': [0x0400, 'policy', 'relaying is switched off there'],
  'relay.no-peers-available': [0x0401, 'policy', 'no eligible peer for the next hop'],
  'relay.port-in-use': [0x0402, 'policy', 'the relay port is in use'],
  'relay.destination-unreachable': [0x0403, 'network', 'the destination could not be reached'],
  'relay.destination-unpinned': [0x0404, 'caller', 'the destination names no peer id'],
  'relay.destination-forbidden': [0x0405, 'policy', 'the last hop may not dial this destination'],
  'relay.refused': [0x0406, 'policy', 'the destination does not accept relayed connections from there'],
  'relay.rate-limited': [0x0407, 'policy', 'too many relay requests'],
  'relay.busy': [0x0408, 'policy', 'no capacity for another relay link'],
  'relay.hops-invalid': [0x0409, 'caller', 'the number of hops must be 1 to 15'],
  'relay.nesting-exceeded': [0x040a, 'policy', 'connections are nested too deeply'],
  'relay.timeout': [0x040b, 'network', 'the relay request was not answered in time'],
  'relay.unknown-port': [0x040c, 'peer', 'no relay link with this port'],
  'relay.carrier-lost': [0x040d, 'network', 'a connection that carried the relay link broke'],
  'relay.protocol': [0x040e, 'peer', 'a relay message that is not allowed now'],
  'relay.gateway-unknown': [0x040f, 'caller', 'no connection to the named gateway'],
  'relay.loop': [0x0410, 'policy', 'the path would carry itself'],
  'relay.limit': [0x0411, 'policy', 'a limit of the relay link is reached'],
  'relay.policy-failed': [0x0412, 'caller', 'the routing policy of this node failed'],
  'relay.nobody-met': [0x0420, 'network', 'nobody came to the meeting in time'],

  // 0x05xx circuit
  'circuit.path-invalid': [0x0500, 'caller', 'the path cannot be used'],
  'circuit.extend-failed': [0x0501, 'network', 'a hop of the circuit could not be added'],
  'circuit.no-path': [0x0502, 'policy', 'no path meets what is asked of it'],
  'circuit.directory-failed': [0x0503, 'network', 'a directory could not be read, written or asked'],
  'circuit.build-timeout': [0x0504, 'network', 'no circuit was built in time'],

  // 0x06xx node
  'config.invalid': [0x0600, 'caller', 'an option is not valid'],
  'node.peer-unknown': [0x0601, 'caller', 'no way to this peer is known'],
  'node.closed': [0x0602, 'caller', 'the node is closed'],
  'node.no-transport': [0x0603, 'caller', 'no transport for this endpoint'],

  // 0x07xx transport
  'transport.dial-failed': [0x0700, 'network', 'the endpoint could not be dialled'],
  'transport.listen-failed': [0x0701, 'caller', 'cannot listen on this endpoint'],
  'transport.frame-incomplete': [0x0702, 'peer', 'a frame was not completed in time'],
  'transport.frame-length': [0x0703, 'peer', 'a frame has a length that is not allowed'],
  'transport.closed': [0x0704, 'network', 'the transport connection closed'],
  'transport.protocol': [0x0705, 'peer', 'the rules of the transport were broken'],
} as const;

/** Stable code of a reason, e.g. `relay.disabled`. */
export type ReasonCode = keyof typeof table;

/** The registry of reason codes (docs/protocol.md §10). */
export const REASONS: Readonly<Record<ReasonCode, Reason>> = Object.fromEntries(
  Object.entries(table).map(([code, [number, kind, text]]) => [code, { number, kind, text } satisfies Reason]),
) as Record<ReasonCode, Reason>;

const byNumber = new Map<number, ReasonCode>(Object.entries(REASONS).map(([code, { number }]) => [number, code as ReasonCode]));

/** The number of a reason on the wire (16 bits). */
export function reasonNumber(code: ReasonCode): number {
  return REASONS[code].number;
}

/** The reason behind a number from the wire; `unknown` for numbers of later versions. */
export function reasonFromNumber(number: number): ReasonCode {
  return byNumber.get(number) ?? 'unknown';
}
