export { Circuit, type CircuitHop, type CircuitHost, type Fault, type Hop, buildCircuit, checkPath, extendFailed } from './circuit.ts';
export { BuildTimeouts } from './build/build-timeouts.ts';
export { CircuitFactory, type CircuitFactoryParts } from './build/circuit-factory.ts';
export { CircuitPool, type CircuitPoolSettings, type CircuitWish, DEFAULT_CIRCUIT_POOL_SETTINGS } from './circuit-pool.ts';
export { CircuitRoute, type CircuitSource, type RouteEnd } from './circuit-route.ts';
export { fixedPath } from './fixed-path.ts';
export {
  type Directory,
  type DirectoryChange,
  type DirectoryContext,
  type DirectoryFactory,
  type Publication,
} from './directory/directory.ts';
export { MAX_DESCRIPTORS, MemoryDirectory, type MemoryDirectoryOptions, memoryDirectory } from './directory/memory-directory.ts';
export { ComposedPolicy, DEFAULT_CONSTRAINTS, type PolicyParts } from './policy/composed-policy.ts';
export {
  DEFAULT_NETWORK_BITS,
  type LatencyKnowledge,
  distinctNetworks,
  distinctOperators,
  except,
  latencyBelow,
  only,
} from './policy/constraints.ts';
export { EntryGuards, type EntryGuardsOptions, type Guard, type GuardStore } from './policy/entry-guards.ts';
export { Measurements } from './policy/measurements.ts';
export { PairFailures } from './policy/pair-failures.ts';
export type { CircuitRequest, EntryPolicy, PathConstraint, PathEnd, PathPenalty, PathPolicy, PathWeights } from './policy/path-policy.ts';
export { type BandwidthKnowledge, byBandwidth, uniformly } from './policy/weights.ts';
