import { EventEmitter } from 'node:events';

import { expect, test } from '@jest/globals';

import { Interrupts } from './interrupts.js';

function setUp() {
  const exitCodes: number[] = [];
  const source = new EventEmitter();
  const interrupts = new Interrupts((code) => exitCodes.push(code));
  return { exitCodes, source, interrupts, stopListening: interrupts.listen(source) };
}

test('the first Ctrl-C ends the running phase only', () => {
  const { source, interrupts, exitCodes } = setUp();
  const sending = interrupts.nextPhase();
  source.emit('SIGINT');
  expect(sending.aborted).toBe(true);
  expect(interrupts.nextPhase().aborted).toBe(false);
  expect(exitCodes).toEqual([]);
});

test('the second one exits at once', () => {
  const { source, exitCodes } = setUp();
  source.emit('SIGINT');
  source.emit('SIGINT');
  expect(exitCodes).toEqual([130]);
});

test('nobody listens after the run', () => {
  const { source, stopListening } = setUp();
  stopListening();
  expect(source.eventNames()).toEqual([]);
});
