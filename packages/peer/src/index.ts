export { Acceptor } from './acceptor.ts';
export { AsyncStream, asyncStream } from './async-stream.ts';
export { type ConnectSessionOptions, connectSession } from './connect-session.ts';
export { ReceiveWindow, SendCredit } from './credit.ts';
export { type Deadline, deadline } from './deadline.ts';
export { type Door, type DoorRefusal, type DoorRules, RuledDoor } from './door/door.ts';
export type { RelayHandler, RelayMessage, SessionEnvironment } from './environment.ts';
export { Outbox, type OutboxHost } from './outbox.ts';
export { hourBucket } from './initiate.ts';
export { DEFAULT_KEY_UPDATE_SETTINGS, type KeyUpdateSettings } from './key-update-settings.ts';
export { type ProtocolHandler, Protocols } from './protocols.ts';
export { DEFAULT_RESUME_SETTINGS, type ResumeSettings } from './resume-settings.ts';
export type { LinkAttempt, LinkSource } from './resumption.ts';
export { Scheduler, type Source, type Turn } from './scheduler.ts';
export { Session, type SessionParts } from './session.ts';
export { INITIAL_STREAM_CREDIT_BYTES, STREAM_HIGH_WATER_BYTES, Stream, type StreamHandler } from './stream.ts';
export { MAX_STREAMS, MAX_STREAM_WINDOW_BYTES } from './stream-table.ts';
export { recordLengthOf } from './traffic/session-traffic.ts';
export {
  type Cover,
  type Padding,
  PRIVATE_RECORD_LENGTH,
  TRAFFIC_PRESETS,
  type TrafficPreset,
  type TrafficSettings,
} from './traffic/traffic-settings.ts';
export { type WebStreams, webStreams } from './web-streams.ts';
