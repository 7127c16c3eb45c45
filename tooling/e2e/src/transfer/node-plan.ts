import type { NodeOptions } from '@matryoshka/node';

/** The script of a node's process. */
export const NODE_SCRIPT: URL = new URL('node-process.ts', import.meta.url);

/** How a node is started. Goes through JSON. */
export interface NodePlan extends Pick<NodeOptions, 'access' | 'directory' | 'listen' | 'peers' | 'relay' | 'resume'> {
  /** Seed of its identity, in hex; a new one by default. */
  readonly identity?: string;
  /** Local address that it dials from; the system's choice by default. */
  readonly dialFrom?: string;
}

/** A node that has one address of this machine, at which it listens and from which it dials. */
export function loopbackPlan(host: string): NodePlan {
  return { listen: [`${host}:0`], dialFrom: host };
}
