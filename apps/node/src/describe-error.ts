import { MatryoshkaError, type ReasonCode } from '@matryoshka/node';
import { CliError } from './cli-error.ts';
import type { ErrorReport } from './events.ts';

/** What a user can do about errors of the library, where there is something. */
const HINTS: Partial<Record<ReasonCode, string>> = {
  'session.wrong-peer': 'the peer id in the address is not that of the node there: ask its owner for the address',
  'session.anonymous-refused': 'the receiver takes files from known senders only: add --no-anonymous',
  'stream.unknown-protocol': 'the node there does not receive files: it needs "matryoshka receive", or "up --into DIR"',
  'transport.dial-failed': 'check that the node is up and listens on that address',
  'transport.listen-failed': 'name another port, or 0 for any free one',
  'node.peer-unknown': 'name it as peerId@host:port, or tell where it is with --peer',
  'relay.no-peers-available':
    'a relay needs neighbours that relay, too, on other networks than the previous hop and the destination; more --peer may help',
  'relay.disabled': 'the nodes on the way and the destination need --relay',
  'relay.destination-forbidden': 'the last relay dials global addresses only, unless it is started with --allow-dial',
  'relay.destination-unreachable':
    'check that the destination is up; a last relay dials private or loopback addresses only with --allow-dial',
  'relay.destination-unpinned': 'or add --unverified-destination to talk to whoever answers there',
  'relay.gateway-unknown': 'name the gateway as peerId@host:port, or connect to it with --peer',
};

/** Code and message of whatever was thrown. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof MatryoshkaError || error instanceof CliError) return { code: error.code, message: error.message };
  return { code: 'bug', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** What can be done about it, if anything; that of the cause where the error itself has none. */
export function hintOf(error: unknown): string | undefined {
  if (error instanceof CliError) return error.hint;
  if (!(error instanceof MatryoshkaError)) return undefined;
  return HINTS[error.code] ?? hintOf(error.cause);
}
