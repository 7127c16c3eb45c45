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
