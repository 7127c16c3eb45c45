import { type Signal, computed, effect, signal } from '@preact/signals';

export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'matryoshka-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(dark.matches);
dark.addEventListener('change', ({ matches }) => (systemIsDark.value = matches));

/** What whoever looks has chosen. */
export const themeChoice: Signal<ThemeChoice> = signal(keptChoice());

/** What is shown. */
export const theme: { readonly value: 'light' | 'dark' } = computed(() =>
  themeChoice.value === 'system' ? (systemIsDark.value ? 'dark' : 'light') : themeChoice.value,
);

/** Puts the theme on the page. */
export function followTheme(): void {
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
    localStorage.setItem(KEY, themeChoice.value);
  });
}

function keptChoice(): ThemeChoice {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}
