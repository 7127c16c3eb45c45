/** The outline of a doll that is 100 wide and 150 high, and stands at the bottom. */
export const OUTLINE =
  'M22 150C4 138 0 108 8 86 12 74 22 68 26 62 16 52 16 34 24 20 32 4 68 4 76 20 84 34 84 52 74 62 78 68 88 74 92 86 100 108 96 138 78 150Z';
export const WIDTH = 100;
export const HEIGHT = 150;

/** Room that is left at the feet between one shell and the next. */
const FEET = 2.5;
/** The innermost one is never smaller than this part of the outermost. */
const SMALLEST = 0.3;

/** Where a shell is drawn: it is as large as its scale says, with its corner there. */
export interface Shell {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** Places for so many shells, each inside the one before, all standing on the same ground. */
export function nestedShells(count: number): readonly Shell[] {
  const step = Math.min(0.18, (1 - SMALLEST) / Math.max(1, count - 1));
  return Array.from({ length: count }, (_, index) => {
    const scale = 1 - index * step;
    return { scale, x: (WIDTH * (1 - scale)) / 2, y: HEIGHT * (1 - scale) - Math.min(index * FEET, 12 * (index / count)) };
  });
}
