import { expect, test } from 'vitest';
import { Emitter } from './emitter.ts';

test('an event is heard from the first listener to the last', () => {
  const emitter = new Emitter<{ told: string }>();
  expect(emitter.heard('told')).toBe(false);
  const heard: string[] = [];
  const stop = [emitter.on('told', (text) => heard.push(text)), emitter.on('told', (text) => heard.push(text.toUpperCase()))];
  emitter.emit('told', 'a');
  stop[0]?.();
  expect(emitter.heard('told')).toBe(true);
  stop[1]?.();
  expect(emitter.heard('told')).toBe(false);
  emitter.emit('told', 'b');
  expect(heard).toEqual(['a', 'A']);
});
