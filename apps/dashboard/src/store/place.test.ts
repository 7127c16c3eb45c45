import { describe, expect, test } from 'vitest';
import { type Place, formatPlace, parsePlace } from './place.ts';

describe('the place in the address', () => {
  test.each<[string, Place]>([
    ['', { view: 'map', selection: undefined, station: undefined }],
    ['view=events', { view: 'events', selection: undefined, station: undefined }],
    ['select=connection%3A42&station=3', { view: 'map', selection: { kind: 'connection', id: '42' }, station: 3 }],
    [
      'view=relay-links&select=relay-link%3Alink%3Amtk1b%3A5',
      { view: 'relay-links', selection: { kind: 'relay-link', id: 'link:mtk1b:5' }, station: undefined },
    ],
  ])('%s', (fragment, place) => {
    expect(parsePlace(`#${fragment}`)).toEqual(place);
    expect(formatPlace(place)).toBe(fragment);
  });

  test.each(['view=nowhere', 'select=nothing', 'select=nobody:1', 'station=-1', 'station=x', '%%%'])('%s is let go', (fragment) => {
    expect(parsePlace(fragment)).toEqual({ view: 'map', selection: undefined, station: undefined });
  });
});
