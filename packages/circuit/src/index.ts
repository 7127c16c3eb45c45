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
