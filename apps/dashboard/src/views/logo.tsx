import type { ComponentChild } from 'preact';
import { HEIGHT, OUTLINE, WIDTH } from '../doll/shells.ts';

export function Logo(): ComponentChild {
  return (
    <svg class="logo" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path class="logo-body" d={OUTLINE} />
      <circle class="logo-face" cx="50" cy="36" r="19" />
      <path class="logo-apron" d="M32 150C22 138 22 112 30 100 40 88 60 88 70 100 78 112 78 138 68 150Z" />
    </svg>
  );
}
