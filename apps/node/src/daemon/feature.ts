import type { MatryoshkaNode } from '@matryoshka/node';
import type { Config } from '../config/config.ts';
import type { Output } from '../output.ts';

/** What a feature is given to run with. */
export interface FeatureContext {
  readonly node: MatryoshkaNode;
  readonly config: Config;
  /** Where it tells what happens. */
  readonly output: Output;
  /** Whether anything may be kept in the data folder. */
  readonly keepsData: boolean;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
}

/**
 * Something that runs on top of the daemon's node.
 *
 * | called | when |
 * |---|---|
 * | `start` | the node is up; again, with the next node, when the daemon has restarted it |
 * | `reconfigure` | the configuration has changed while it runs |
 * | `drain` | the daemon is about to stop: takes nothing new, resolves when nothing is in progress any more |
 * | `stop` | before the node is closed; what is still in progress ends |
 */
export interface Feature {
  readonly name: string;
  start(context: FeatureContext): Promise<void> | void;
  reconfigure?(config: Config): Promise<void> | void;
  drain?(): Promise<void>;
  stop(): Promise<void> | void;
  /** What it tells of itself in the status, under its name; ready for JSON. */
  status?(): unknown;
}
