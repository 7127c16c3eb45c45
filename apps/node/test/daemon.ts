import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Cli, run } from './cli.ts';

/** A node in a data folder of its own, run as its owner runs it. */
export class TestDaemon {
  readonly data: string;
  readonly cli: Cli;

  private constructor(data: string, cli: Cli) {
    this.data = data;
    this.cli = cli;
  }

  /** Runs `up`; resolves once the node is up. */
  static async start(data: string, ...args: readonly string[]): Promise<TestDaemon> {
    const daemon = new TestDaemon(data, new Cli(['up', '--data', data, '--json', ...args]));
    await daemon.cli.event('ready');
    return daemon;
  }

  /** Where it listens, as others name it. */
  async address(): Promise<string> {
    const { peerId, listening } = await this.cli.event('ready');
    return `${peerId}@${listening[0]}`;
  }

  /** Runs a command that asks it, and gives the JSON it prints. */
  async ask<T>(...args: readonly string[]): Promise<T> {
    const cli = await run(...args, '--data', this.data, '--json');
    if ((await cli.exited) !== 0) throw new Error(`${args.join(' ')}: ${cli.stderr}`);
    return JSON.parse(cli.stdout) as T;
  }

  /** Sends a request to its local socket. */
  http(method: string, path: string, options: { readonly headers?: object; readonly body?: string } = {}): Promise<HttpAnswer> {
    return http({ socketPath: join(this.data, 'control.sock') }, method, path, options);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    this.cli.child.kill(signal);
    return this.cli.exited;
  }
}

export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

/** One request, and all of its answer. */
export function http(
  where: { readonly socketPath: string } | { readonly port: number },
  method: string,
  path: string,
  { headers = {}, body }: { readonly headers?: object; readonly body?: string } = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...where, host: '127.0.0.1', method, path, headers: { Host: 'localhost', ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => {
        const type = response.headers['content-type'] ?? '';
        const json = type.includes('json') ? (JSON.parse(text) as Record<string, unknown>) : {};
        resolve({ status: response.statusCode ?? 0, type, text, json });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Writes bytes to a local socket, and gives all that comes back until it is closed. */
export function raw(socketPath: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(socketPath, () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    socket.on('close', () => resolve(text)).on('error', reject);
  });
}

/** Makes a data folder with a configuration in it. */
export function configure(data: string, toml: string): string {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  writeFileSync(join(data, 'config.toml'), toml, { mode: 0o600 });
  return data;
}

/** The part of a JSON Schema that is looked at here. */
export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** What is in an answer and not in its schema, by path; where a schema names no properties, anything may be. */
export function undocumented(value: unknown, schema: JsonSchema | undefined, path = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => undocumented(item, schema?.items, `${path}[]`));
  const properties = schema?.properties ?? {};
  if (typeof value !== 'object' || value === null || Object.keys(properties).length === 0) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = `${path}.${name}`;
    return name in properties ? undocumented(inner, properties[name], at) : [at];
  });
}
