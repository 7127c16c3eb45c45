/** Name and version of this program, as descriptors tell it. */
export const SOFTWARE = 'matryoshka 0.0.0';
