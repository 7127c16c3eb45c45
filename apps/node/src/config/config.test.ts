import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTROL_SOCKET, LOG_LEVEL } from './app-keys.ts';
import { CONFIG_KEYS, configKey, variableOf } from './config-keys.ts';
import { parseAssignment } from './config-layers.ts';
import type { Config } from './config.ts';
import { findFolders } from './folders.ts';
import { replaceJoinedPeers } from './joined-peers.ts';
import { loadConfig } from './load-config.ts';

const PEER = 'mtk1ztv5ptdepak2ry9npmy70dyr7l2z52hx479nys6dhd2qpxz690gqhyu67f';

let data: string;
beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'matryoshka-config-'));
});
afterAll(() => rmSync(data, { recursive: true }));

interface Given {
  readonly toml?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly set?: readonly string[];
}

async function load({ toml, environment = {}, set = [] }: Given): Promise<Config> {
  const folders = findFolders({ data }, {});
  if (toml === undefined) rmSync(folders.configFile, { force: true });
  else writeFileSync(folders.configFile, toml);
  const flags = set.map((text) => ({ ...parseAssignment(text), flag: `--set ${text}` }));
  return (await loadConfig({ folders, environment, flags, fileNeeded: false, ephemeral: false })).config;
}

async function problem(given: Given): Promise<string> {
  return load(given).then(
    () => 'none',
    (error: Error) => error.message.replaceAll(data, 'DATA'),
  );
}

describe('an effective configuration', () => {
  test('has the defaults of the node and of the daemon', async () => {
    const config = await load({});
    expect(config.get(LOG_LEVEL)).toBe('info');
    expect(config.get(CONTROL_SOCKET)).toBe(join(data, 'control.sock'));
    expect(config.setting(configKey('resume.graceMs')!)).toEqual({ path: 'resume.graceMs', value: 30_000, origin: { kind: 'default' } });
    expect(config.nodeOptions()).toEqual({});
  });

  test('takes the file, over that the environment, over that flags, and says where each value comes from', async () => {
    const config = await load({
      toml: 'maxHandshakes = 10\nacceptAnonymous = false\nlisten = ["127.0.0.1:1"]\n[relay]\nenabled = true\n[access.allowances.known]\nburst = 7\n',
      environment: { MATRYOSHKA_MAX_HANDSHAKES: '20', MATRYOSHKA_LISTEN: '127.0.0.1:2, [::1]:3', MATRYOSHKA_RELAY_FORWARD: 'false' },
      set: ['maxHandshakes=30'],
    });
    expect(config.nodeOptions()).toEqual({
      maxHandshakes: 30,
      acceptAnonymous: false,
      listen: ['127.0.0.1:2', '[::1]:3'],
      relay: { enabled: true, forward: false },
      access: { allowances: { known: { burst: 7 } } },
    });
    const origin = (path: string): unknown => config.setting(configKey(path)!).origin;
    expect(origin('relay.enabled')).toEqual({ kind: 'file', file: join(data, 'config.toml') });
    expect(origin('listen')).toEqual({ kind: 'environment', variable: 'MATRYOSHKA_LISTEN' });
    expect(origin('maxHandshakes')).toEqual({ kind: 'flag', flag: '--set maxHandshakes=30' });
  });

  test('has the peers that were joined beside those of the file, each known once', async () => {
    await replaceJoinedPeers(data, [`${PEER}@192.0.2.1:1`]);
    await replaceJoinedPeers(data, [`${PEER}@192.0.2.2:2`]);
    const config = await load({ toml: `peers = ["${PEER}@192.0.2.9:9"]` });
    expect(config.nodeOptions().peers).toEqual([`${PEER}@192.0.2.9:9`, `${PEER}@192.0.2.2:2`]);
    rmSync(join(data, 'peers'));
  });
});

describe('what is wrong names place, key, value and what is allowed', () => {
  test.each([
    ['a type', 'acceptAnonymous = 3', 'acceptAnonymous: must be true or false, not 3'],
    ['a range', 'maxHandshakes = 0', 'maxHandshakes: must be a whole number from 1 to 65536, not 0'],
    ['an item of a list', 'listen = ["nowhere"]', 'listen.0: '],
    ['one of several names', '[log]\nlevel = "loud"', 'log.level: must be one of trace, debug, info, warn, error, silent, not "loud"'],
    ['an address that is not loopback', '[control]\nlisten = "0.0.0.0:1"', 'control.listen: must be a loopback address and a port'],
    ['no section where one has to be', 'relay = true', 'relay: must be a section with enabled, forward,'],
    ['an unknown key', '[relay]\nenable = true', 'relay.enable: unknown, known in relay are enabled, forward,'],
    ['two that do not go together', 'acceptAnonymous = false\n[access]\nhidden = true', 'access.hidden: needs acceptAnonymous'],
  ])('%s', async (_what, toml, expected) => {
    expect(await problem({ toml })).toContain(`invalid configuration: DATA/config.toml: ${expected}`);
  });

  test('all of it at once; a value at an unknown key, which may be a secret, is not shown', async () => {
    const message = await problem({ toml: 'networkKey = "0badc0de"\nsuite = 5\n' });
    expect(message).toContain('DATA/config.toml: networkKey: unknown');
    expect(message).toContain('DATA/config.toml: suite: must be text, not 5');
    expect(message).not.toContain('0badc0de');
  });

  test('no TOML at all: with line and column', async () => {
    expect(await problem({ toml: 'listen = [\nnothing' })).toMatch(/^DATA\/config.toml:\d+:\d+: this is no TOML: /);
  });

  test('in the environment and in flags', async () => {
    expect(await problem({ environment: { MATRYOSHKA_RELAY_ENABLED: 'maybe' } })).toBe(
      'invalid configuration: environment variable MATRYOSHKA_RELAY_ENABLED: relay.enabled: must be true or false, not "maybe"',
    );
    expect(() => parseAssignment('relay.enable=1')).toThrow('relay.enable: unknown, known in relay are enabled');
    expect(() => parseAssignment('relay')).toThrow('Expected key=value');
  });
});

test('folders: the standard ones, those of the environment, and a data folder with its own configuration', () => {
  const home = { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: '/d' };
  expect(findFolders({}, home)).toEqual({ configFile: '/c/matryoshka/config.toml', data: '/d/matryoshka' });
  expect(findFolders({}, { ...home, XDG_DATA_HOME: 'relative' }).data).toMatch(/\/\.local\/share\/matryoshka$/);
  expect(findFolders({ data: '/x' }, home)).toEqual({ configFile: '/x/config.toml', data: '/x' });
  expect(findFolders({}, { MATRYOSHKA_DATA: '/y', MATRYOSHKA_CONFIG: '/z.toml' })).toEqual({ configFile: '/z.toml', data: '/y' });
});

test('every key has one sentence, a default that it takes, and a variable of its own', async () => {
  const config = await load({});
  for (const key of CONFIG_KEYS) {
    expect(key.about, key.path).toMatch(/^[A-Z].*\.$/);
    const { value } = config.setting(key);
    if (value !== undefined) expect(key.schema.safeParse(value).success, key.path).toBe(true);
  }
  expect(variableOf({ path: 'access.allowances.unknown.requestsPerSecond' })).toBe(
    'MATRYOSHKA_ACCESS_ALLOWANCES_UNKNOWN_REQUESTS_PER_SECOND',
  );
  expect(new Set(CONFIG_KEYS.map(variableOf)).size).toBe(CONFIG_KEYS.length);
});
