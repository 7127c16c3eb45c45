export { type BuildOptions, Circuit, CircuitBuilder, type CircuitHop, type CircuitHost, type ExtendOptions, type Hop, buildCircuit } from './circuit.ts';
