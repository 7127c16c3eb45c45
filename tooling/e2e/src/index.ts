export { Crew } from './processes/crew.ts';
export { type ProgramRun, isRunning, killPrograms, runProgram } from './processes/program.ts';
export { COMPILE_CACHE, type Worker } from './processes/worker.ts';
export { NODE_SCRIPT, type NodePlan } from './transfer/node-plan.ts';
export type { ConnectionName, NodeCommands, Started } from './transfer/node-process.ts';
export { type Transfer, type TransferOutcome, runTransfers } from './transfer/transfer.ts';
