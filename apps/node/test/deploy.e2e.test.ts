import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ENVIRONMENT, MAIN } from './cli.ts';
import { http } from './daemon.ts';

const DEPLOY = join(import.meta.dirname, '..', 'deploy');
const ROOT = join(import.meta.dirname, '..', '..', '..');

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly build: { readonly context: string; readonly dockerfile: string };
        readonly environment: Readonly<Record<string, string>>;
        readonly networks: { readonly network: { readonly ipv4_address: string } };
      }
    >
  >;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'matryoshka-deploy-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const hasSystemd = existsSync('/usr/bin/systemd-analyze');
test.skipIf(!hasSystemd)('the unit is one that systemd takes (needs systemd-analyze)', () => {
  const verify = (): string =>
    execFileSync('systemd-analyze', ['verify', join(DEPLOY, 'matryoshka.service')], { encoding: 'utf8', stdio: 'pipe' });
  expect(verify()).toBe('');
});

test('the image is made of what there is', () => {
  const lines = readFileSync(join(DEPLOY, 'Containerfile'), 'utf8');
  for (const [, path] of lines.matchAll(/^COPY (apps\/\S+)/gm)) expect(existsSync(join(ROOT, path as string)), path).toBe(true);
  expect(lines).toMatch(/^USER node$/m);
});

describe('compose.yaml', () => {
  const { services } = parse(readFileSync(join(DEPLOY, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;
  const names = Object.keys(services);

  test('has five nodes, each in a network of its own, from the image that is here', () => {
    expect(names.length).toBe(5);
    const networks = Object.values(services).map(({ networks: { network } }) => network.ipv4_address.split('.').slice(0, 2).join('.'));
    expect(new Set(networks).size).toBe(5);
    for (const { build, environment, networks: own } of Object.values(services)) {
      expect(existsSync(join(DEPLOY, build.context, build.dockerfile))).toBe(true);
      expect(environment.ADDRESS).toBe(`${own.network.ipv4_address}:9700`);
    }
  });

  // There is no engine for containers here: what runs in them runs as processes, with loopback addresses instead of private ones.
  test('makes a network in which all join the first', async () => {
    const bin = join(folder, 'bin');
    const invites = join(folder, 'invites');
    for (const path of [bin, invites]) mkdirSync(path);
    const program = join(bin, 'matryoshka');
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' --conditions=@matryoshka/source '${MAIN}' "$@"\n`);
    chmodSync(program, 0o755);
    const children = new Map<string, ChildProcess>();
    const said = new Map<string, string>();
    for (const [name, { environment }] of Object.entries(services)) {
      const local = Object.fromEntries(
        Object.entries(environment).map(([variable, value]) => [variable, value.replace(/^10\./, '127.').replace(/^private$/, 'loopback')]),
      );
      const data = join(folder, name);
      const child = spawn('sh', [join(DEPLOY, 'start.sh')], {
        env: {
          ...ENVIRONMENT,
          ...local,
          PATH: [bin, process.env.PATH].join(delimiter),
          INVITES: invites,
          MATRYOSHKA_DATA: data,
          MATRYOSHKA_DIAL_FROM: local.ADDRESS?.split(':')[0],
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => said.set(name, (said.get(name) ?? '') + text));
      children.set(name, child);
    }
    try {
      const first = names[0] as string;
      const ofFirst = async (): Promise<number> => {
        const answer = await http({ socketPath: join(folder, first, 'control.sock') }, 'GET', '/v1/connections').catch(() => undefined);
        return (answer?.json as unknown as unknown[] | undefined)?.length ?? 0;
      };
      const deadlineMs = performance.now() + 60_000;
      // oxlint-disable-next-line no-await-in-loop
      while ((await ofFirst()) < 4) {
        if (performance.now() > deadlineMs) throw new Error(`not all have joined:\n${[...said.values()].join('\n')}`);
        // oxlint-disable-next-line no-await-in-loop
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect([...said.values()].join('')).not.toContain('is no key of the configuration');
    } finally {
      const ended = [...children.values()].map(
        (child) =>
          new Promise((resolve) => {
            child.on('exit', resolve);
            child.kill('SIGTERM');
          }),
      );
      expect(await Promise.all(ended)).toEqual([0, 0, 0, 0, 0]);
    }
  });
});
