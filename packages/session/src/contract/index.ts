export type { ContractCase } from './contract-case.ts';
export { providerContract } from './provider-contract.ts';
export { type NoiseVector, type VectorOutcome, replayVector } from '../noise/vector-replay.ts';
