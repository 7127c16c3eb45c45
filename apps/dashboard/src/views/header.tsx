import type { ComponentChild } from 'preact';
import { formatDuration } from '../model/format.ts';
import { shortId } from '../model/names.ts';
import { live, names } from '../store/page.ts';
import { type ThemeChoice, themeChoice } from '../store/theme.ts';
import { Logo } from './logo.tsx';

const STANDINGS = {
  'no-token': 'No token',
  'connecting': 'Connecting',
  'live': 'Live',
  'lost': 'No answer',
  'refused': 'Not let in',
} as const;
const NEXT: Readonly<Record<ThemeChoice, ThemeChoice>> = { system: 'light', light: 'dark', dark: 'system' };
const THEMES: Readonly<Record<ThemeChoice, string>> = { system: 'as the system', light: 'light', dark: 'dark' };

export function Header(): ComponentChild {
  const { kind } = live.standing.value;
  const status = live.status.value;
  return (
    <header class="header">
      <span class="brand">
        <Logo />
        <span class="brand-name">Matryoshka</span>
      </span>
      {status !== undefined && (
        <span class="node-name" title={status.node.peerId}>
          {names.value.of(status.node.peerId) !== 'you' && <strong>{names.value.of(status.node.peerId)} </strong>}
          <code>{shortId(status.node.peerId)}</code>
          <span class="node-facts">
            {' '}
            version {status.version}, up {formatDuration(status.atMs - status.startedAtMs)}
          </span>
        </span>
      )}
      <span class="header-end">
        <span class={`standing standing-${kind}`}>{STANDINGS[kind]}</span>
        <button type="button" class="quiet" onClick={() => (themeChoice.value = NEXT[themeChoice.value])}>
          <span aria-hidden="true">◐ </span>
          <span class="theme-name">Theme: {THEMES[themeChoice.value]}</span>
        </button>
      </span>
    </header>
  );
}
