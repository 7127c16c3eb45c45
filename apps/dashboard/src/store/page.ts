import { type ReadonlySignal, computed } from '@preact/signals';
import { keepToken, keptToken, splitToken } from '../api/token.ts';
import { circuitHops } from '../model/circuit-hops.ts';
import { type NetworkMap, networkMap } from '../model/map.ts';
import { Names } from '../model/names.ts';
import { Live } from './live.ts';

/** The node behind this page. */
export const live: Live = new Live();

export const names: ReadonlySignal<Names> = computed(() => new Names(live.demo.value, live.status.value?.node.peerId));

export const map: ReadonlySignal<NetworkMap | undefined> = computed(() => {
  const status = live.status.value;
  return status && networkMap(status.node, live.demo.value);
});

/** Connections that are there as hops of circuits only. */
export const hopIds: ReadonlySignal<ReadonlySet<string>> = computed(() => {
  const status = live.status.value;
  return status === undefined ? new Set() : circuitHops(status.node);
});

/** Uses a token from now on. */
export function useToken(token: string): void {
  keepToken(token);
  live.start(token);
}

/** Takes the token out of the address, now and when another address of this page is opened in the same tab. */
export function followToken(): void {
  const take = (): void => {
    const { token, rest } = splitToken(location.hash);
    if (token === undefined) return;
    history.replaceState(null, '', rest === '' ? location.pathname : `#${rest}`);
    useToken(token);
  };
  take();
  // Before the place on the page is read from the address: it takes the token for nothing.
  window.addEventListener('popstate', take);
  const kept = keptToken();
  if (live.standing.value.kind === 'no-token' && kept !== undefined) live.start(kept);
}
