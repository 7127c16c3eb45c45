import { setTimeout as delay } from 'node:timers/promises';
import type { Contender, Scenario, Setting, Setup } from '../scenario.ts';
import { withCpu } from '../workloads.ts';
import { jainIndex } from './jain-index.ts';
import { LinkChain } from './link-chain.ts';

const LINKS = 1000;
/** With `--quick`. */
const QUICK_LINKS = 200;
/** After this time an idle link has given back what it does not need. */
const SETTLE_MS = 3500;

/** Lengths that take turns among 100 links, from requests to full records. */
const MIXED_LENGTHS = [100, 700, 1500, 4000, 12_000, 30_000, 60_000] as const;
const FAIR_LINKS = 100;
const BULK_LENGTHS = [32_768] as const;
const SMALL_LENGTHS = [256] as const;

async function idleLinks({ group, quick, links }: Setting): Promise<Contender> {
  const count = links ?? (quick ? QUICK_LINKS : LINKS);
  const chain = await LinkChain.start(group, count * 1.1, ['--expose-gc']);
  const { relay } = chain;
  // What the first ones bring with them is no cost of a link.
  await chain.open(Math.ceil(count / 10));
  await delay(SETTLE_MS);
  const before = await group.watch(relay.call('memory'));
  await chain.open(count);
  await delay(SETTLE_MS);
  return {
    group,
    measure: async (durationMs) => {
      const sample = await withCpu(group, async () => {
        const begunAt = performance.now();
        await delay(durationMs);
        const seconds = (performance.now() - begunAt) / 1000;
        const after = await relay.call('memory');
        const details = {
          links: count,
          residentBytesPerLink: Math.round((after.residentBytes - before.residentBytes) / count),
          relayHeapBytes: after.heapBytes,
          relayResidentBytes: after.residentBytes,
        };
        return { value: (after.heapBytes - before.heapBytes) / count, seconds, details };
      });
      const relayCpuPercent = ((sample.cpuSeconds[relay.name] ?? 0) / sample.seconds) * 100;
      return { ...sample, details: { ...sample.details, relayCpuPercent } };
    },
  };
}

/** `opened` links are there, `active` of them send. */
function chainOf(opened: number, { group }: Setting): Promise<LinkChain> {
  return LinkChain.start(group, opened).then(async (chain) => {
    await chain.open(opened);
    return chain;
  });
}

/** Throughput of so many links together. */
function throughput(active: number): Setup {
  return async (setting) => {
    const chain = await chainOf(active, setting);
    return { group: setting.group, measure: (durationMs) => chain.send(durationMs, active, BULK_LENGTHS) };
  };
}

/** What the relay's CPU takes for a message, where `active` links of those that are open send. */
function messageCost(few: boolean): Setup {
  return async (setting) => {
    const links = few ? 10 : (setting.links ?? (setting.quick ? QUICK_LINKS : LINKS));
    const chain = await chainOf(links, setting);
    return {
      group: setting.group,
      measure: async (durationMs) => {
        const { bytesPerLink: _, ...sample } = await chain.send(durationMs, links, SMALL_LENGTHS);
        const messages = sample.details?.['messages'] ?? 0;
        return { ...sample, value: ((sample.cpuSeconds[chain.relay.name] ?? 0) * 1e6) / messages };
      },
    };
  };
}

async function fairness(setting: Setting): Promise<Contender> {
  const chain = await chainOf(FAIR_LINKS, setting);
  return {
    group: setting.group,
    measure: async (durationMs) => {
      const { bytesPerLink, value, ...sample } = await chain.send(durationMs, FAIR_LINKS, MIXED_LENGTHS);
      const details = { megabytesPerSecond: value, leastBytes: Math.min(...bytesPerLink), mostBytes: Math.max(...bytesPerLink) };
      return { ...sample, value: jainIndex(bytesPerLink), details: { ...sample.details, ...details } };
    },
  };
}

/** What many relay links cost at one relay, idle and in use. */
export const LINKS_SCENARIOS: readonly Scenario[] = [
  {
    id: 'links/idle-bytes',
    unit: 'bytes/link',
    better: 'lower',
    summary: `memory of a relay per open and idle relay link, of ${LINKS} (--quick: ${QUICK_LINKS}, or --links N)`,
    ours: idleLinks,
    counterparts: [],
    alone: true,
  },
  {
    id: 'links/message-us',
    unit: 'µs/message',
    better: 'lower',
    summary: `CPU time of a relay for a message of ${SMALL_LENGTHS[0]} bytes, on ${LINKS} links (--quick: ${QUICK_LINKS}, or --links N)`,
    ours: messageCost(false),
    counterparts: [{ name: 'ten-links', setup: messageCost(true) }],
    alone: false,
  },
  {
    id: 'links/active-1000',
    unit: 'MB/s',
    better: 'higher',
    summary: 'bulk data on 1,000 links through one relay at once, the sum',
    ours: throughput(1000),
    counterparts: [{ name: 'one-link', setup: throughput(1) }],
    alone: false,
  },
  {
    id: 'links/fairness',
    unit: 'index',
    better: 'higher',
    summary: `Jain's index of what ${FAIR_LINKS} links get of one connection, with messages of ${MIXED_LENGTHS[0]} bytes to 60 KB`,
    ours: fairness,
    counterparts: [],
    alone: true,
  },
];
