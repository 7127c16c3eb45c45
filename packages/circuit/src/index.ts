export {
  type BuildOptions,
  Circuit,
  CircuitBuilder,
  type CircuitHop,
  type CircuitHost,
  type ExtendOptions,
  type Hop,
  buildCircuit,
  checkPath,
} from './circuit.ts';
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
