import { expect, it } from '@jest/globals';
import { problemOf } from './cell-problem.js';

it.each([
  [{ loaded: 10, handled: 10, left: 0 }, undefined],
  [{ loaded: 10, handled: 11, left: 0 }, '11 handled of 10'],
  [{ loaded: 10, handled: 10, left: 3 }, '3 not acked'],
  [{ loaded: 10, handled: 7, left: 3 }, '7 handled of 10, 3 not acked'],
])('a cell counts only if everything was handled once and acked: %j', (end, problem) => {
  expect(problemOf(end)).toBe(problem);
});
