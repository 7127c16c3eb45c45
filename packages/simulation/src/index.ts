export { BlockWatch } from './block-watch.ts';
export { SealRecord } from './crypto/seal-record.ts';
export { type SimulatedProviderOptions, simulatedProvider } from './crypto/simulated-provider.ts';
export { Machine } from './machine.ts';
export { randomReal } from './random-real.ts';
export { seededRandom } from './seeded-random.ts';
export { type RunOptions, SimulatedClock, type SimulatedClockOptions } from './simulated-clock.ts';
export {
  type Latency,
  type PathConditions,
  SimulatedNetwork,
  type SimulatedNetworkOptions,
  type Traffic,
  type WireWatcher,
  type Wiretap,
} from './simulated-network.ts';
export { type CutOptions, SimulatedWire } from './simulated-wire.ts';
export { type TraceSummary, type World, type WorldOptions, createWorld, inWorld } from './world.ts';
