export { seededRandom } from './seeded-random.ts';
export { type RunOptions, SimulatedClock } from './simulated-clock.ts';
export { type Latency, SimulatedNetwork, type SimulatedNetworkOptions, type Traffic, type Wiretap } from './simulated-network.ts';
export { type World, type WorldOptions, createWorld } from './world.ts';
