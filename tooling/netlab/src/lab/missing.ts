import { spawnSync } from 'node:child_process';

const PROGRAMS = [
  { program: 'unshare', from: 'util-linux' },
  { program: 'nsenter', from: 'util-linux' },
  { program: 'ip', from: 'iproute2' },
  { program: 'nft', from: 'nftables' },
] as const;

/** What this machine lacks for a lab, for people; nothing where it can have one. */
export function missing(): readonly string[] {
  if (process.platform !== 'linux') return [`network namespaces: this is ${process.platform}, they are a thing of Linux`];
  const absent = PROGRAMS.filter(({ program }) => spawnSync(program, ['--version']).error !== undefined);
  const lacks = absent.map(({ program, from }) => `the program ${program} (of the package ${from})`);
  if (absent.some(({ from }) => from === 'util-linux')) return lacks;
  const { status, stderr } = spawnSync('unshare', ['--net', '--', 'true'], { encoding: 'utf8' });
  if (status === 0) return lacks;
  const who = process.getuid?.() === 0 ? 'although this is root' : 'because this is not root';
  return [...lacks, `permission for network namespaces, ${who} (${stderr.trim()})`];
}
