import type { AccessStatus, NodeStatus } from '@matryoshka/node';

// What the control API answers, as far as the page reads it (/openapi.json describes all of it).

/** Answer of `/v1/status`. */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly atMs: number;
  readonly dataFolder: string;
  readonly configFile: string;
  readonly needRestart: readonly string[];
  readonly node: NodeStatus;
  readonly access: AccessStatus;
}

/** One key of `/v1/config`. */
export interface Setting {
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
  readonly live: boolean;
  readonly about: string;
}

export interface Configuration {
  readonly settings: readonly Setting[];
  readonly needRestart: readonly string[];
}

/** Something that happened; what else is in it depends on which event it is. */
export interface NodeEvent {
  readonly event: string;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly [field: string]: unknown;
}

/** One of `/v1/events`. Numbers go up within one run of the node. */
export interface NumberedEvent {
  readonly number: number;
  readonly event: NodeEvent;
}

/** A relay of the living demo, which answers `/demo`. */
export interface DemoRelay {
  readonly name: string;
  readonly peerId: string;
  readonly endpoint: string;
  readonly state: 'running' | 'down';
}

export interface Demo {
  readonly relays: readonly DemoRelay[];
  /** Of all other nodes, by peer id. */
  readonly names: Readonly<Record<string, string>>;
}

/** Answer of `/openapi.json`: what there is to ask. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, unknown>>;
}
