import type { ConnectionStatus, RelayLinkStatus } from '@matryoshka/node';
import type { NamedEvent } from '../events.ts';
import type { Logger } from './logger.ts';

/** What a connection is called where nobody may be named. */
function of({ id, kind, role }: ConnectionStatus): object {
  return { connection: id, kind, role };
}

/** What a relay link is called there; its port is known to others on its path, and so stays out. */
function ofLink({ state, hopsLeft }: RelayLinkStatus): object {
  return { state, hopsLeft };
}

/** Logs an event: at info what happened, at debug to whom. */
export function logEvent(logger: Logger, event: NamedEvent): void {
  switch (event.event) {
    case 'ready':
      logger.info({ peerId: event.peerId, listening: event.listening, relay: event.relayEnabled }, 'node is up');
      return;
    case 'connection':
      logger.info(of(event.connection), 'connection opened');
      break;
    case 'suspended':
      logger.info({ ...of(event.connection), reason: event.reason.code }, 'connection interrupted');
      break;
    case 'resumed':
      logger.info(of(event.connection), 'connection goes on');
      break;
    case 'path-changed':
      logger.info({ ...of(event.connection), reason: event.reason.code }, 'connection has another path');
      break;
    case 'registration':
      logger.info({ state: event.registration.state, reason: event.registration.error }, 'registration with a relay');
      break;
    case 'descriptor-refused':
      logger.warn({ reason: event.reason.code }, 'a peer passed on a descriptor that was refused');
      break;
    case 'disconnected':
      logger.info({ ...of(event.connection), reason: event.reason.code }, 'connection over');
      break;
    case 'peer-failed':
      logger.warn({ reason: event.error.code, retryInMs: event.retryInMs }, 'cannot connect to a peer');
      break;
    case 'relay-requested':
    case 'relay-opened':
    case 'relay-closed':
      logger.info(ofLink(event.link), event.event.replace('-', ' link '));
      break;
    case 'relay-accepted':
      logger.info('relay link accepted');
      break;
    case 'receiving':
      logger.info({ size: event.size }, 'receiving a file');
      break;
    case 'received':
      logger.info({ size: event.size, seconds: event.seconds }, 'received a file');
      break;
    case 'receive-failed':
      logger.warn({ reason: event.error.code }, 'a file was not received');
      break;
    case 'forward-failed':
      logger.warn({ service: event.service, reason: event.error.code }, 'a forward was used in vain');
      break;
    case 'socks-failed':
      logger.warn({ reason: event.error.code }, 'a client of the SOCKS proxy was not served');
      break;
    case 'reloaded':
      logger.info({ changed: event.changed, needRestart: event.needRestart }, 'configuration read again');
      return;
    case 'stopping':
      logger.info('stopping');
      return;
    // Of commands that have no daemon.
    case 'connecting':
    case 'connected':
    case 'progress':
    case 'sent':
    case 'status':
      break;
    default:
      event satisfies never;
  }
  logger.debug(event, event.event);
}
