import type { Purpose } from '../model/map.ts';

/** Colours of the theme, for what draws on a canvas and sees no style sheet. */
export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly surface: string;
  readonly line: string;
  readonly brand: string;
  readonly onBrand: string;
  readonly bad: string;
  readonly purposes: Readonly<Record<Purpose, string>>;
  readonly veiled: string;
  readonly font: string;
}

/** Reads them from the page. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    text: of('text'),
    muted: of('muted'),
    surface: of('surface'),
    line: of('graph-line'),
    brand: of('brand'),
    onBrand: of('on-brand'),
    bad: of('bad'),
    purposes: { own: of('own'), circuit: of('circuit'), forwarded: of('forwarded') },
    veiled: of('veiled'),
    font: of('font'),
  };
}
