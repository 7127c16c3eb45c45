import { expect, test } from 'vitest';
import { ReplyReader } from './control.ts';

test('replies of the control port are whole, however they were cut', () => {
  const text = '250-version=0.4\r\n250 OK\r\n650 CIRC 5 BUILT\r\n552 No such router\r\n';
  const reader = new ReplyReader();
  const replies = [...text].flatMap((character) => reader.read(character));
  expect(replies).toEqual([['250-version=0.4', '250 OK'], ['650 CIRC 5 BUILT'], ['552 No such router']]);
});
