export type { AccessRefusal, AccessStatus } from './access.ts';
export type { AccessOptions, AccessSettings, AccessUpdate, AllowanceOptions } from './access-options.ts';
export type { CircuitsNodeSettings, CircuitsOptions } from './circuits-options.ts';
export { Connection, type ConnectionKind, type HopStatus } from './connection.ts';
export type { DirectoryOptions, DirectorySettings } from './directory/directory-options.ts';
export type { KnownOptions, OptionProblem } from './config-error.ts';
export {
  type NodeOptions,
  type ParsedOptions,
  type RelayNodeOptions,
  type ResumeNodeOptions,
  knownNodeOptions,
  nodeOptionProblems,
  parseNodeOptions,
} from './options.ts';
export type { RelayLimitsOptions } from './relay-limits-options.ts';
export type { CircuitOptions, ConnectOptions, HopRange, PathHop, RerouteOptions } from './connect-options.ts';
export { MatryoshkaNode, type StreamServer, createNode } from './node.ts';
export type { NodeEvents, PathChange } from './node-events.ts';
export type { MeetingPlace } from './meeting-places.ts';
export type { MeetOptions } from './rendezvous.ts';
export type { RegistrationState } from './registrar.ts';
export type { RegistrationStatus } from './registrars.ts';
export {
  type CircuitHopStatus,
  type CircuitStatus,
  type ConnectionStatus,
  type NeighbourStatus,
  type NodeStatus,
  type RelayLinkStatus,
  connectionStatus,
} from './status.ts';
export type { CoverOption, PaddingOption, TrafficOption, TrafficStatus } from './traffic-options.ts';
export {
  type Identity,
  type PeerId,
  createIdentity,
  formatStaticKey,
  identityFromSeed,
  parsePeerId,
  parseStaticKey,
} from '@matryoshka/session';
export { AsyncStream, Stream, type StreamHandler, type WebStreams, asyncStream, webStreams } from '@matryoshka/peer';
export {
  type Destination,
  type Endpoint,
  MatryoshkaError,
  type ReasonCode,
  formatEndpoint,
  parseDestination,
  parseEndpoint,
} from '@matryoshka/wire';
export {
  type AcceptRequest,
  type Candidate,
  type CandidateRule,
  type GuardedAddressClass,
  type Party,
  type PolicyParts,
  type RelayPorts,
  type RelayRequest,
  type RoutingPolicy,
  randomNextHop,
} from '@matryoshka/relay';
export { type Directory, type DirectoryChange, type DirectoryContext, type DirectoryFactory, memoryDirectory } from '@matryoshka/circuit';
export type { VerifiedDescriptor } from '@matryoshka/session';
export * as routing from './routing.ts';
