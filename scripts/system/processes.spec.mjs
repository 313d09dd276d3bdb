import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { killUntilGone, processesWithEnvironment, startTimeOf } from './processes.mjs';
import { waitUntil } from './wait-until.mjs';

describe('processes found by their environment', () => {
  it('are a process, its children, and nobody else, until they are killed', async () => {
    const mark = randomUUID();
    const child = spawn('sh', ['-c', 'sleep 60; true'], {
      env: { PATH: process.env.PATH, SPILLWAY_SPEC: mark },
    });
    const find = () => processesWithEnvironment('SPILLWAY_SPEC', mark);
    const programs = () => find().map(({ command }) => command.split(' ')[0]?.split('/').at(-1));
    // The child of a shell is a shell too until it has become the program.
    expect(await waitUntil(() => programs().includes('sleep'), { timeoutMs: 5000 })).toBe(true);
    expect(new Set(programs())).toEqual(new Set(['sh', 'sleep']));
    const ended = once(child, 'close');
    await killUntilGone(find);
    expect(find()).toEqual([]);
    await ended;
  });
});

describe('the start time of a process', () => {
  it('stays the same, and is none where there is no process', () => {
    expect(startTimeOf(process.pid)).toMatch(/\d/);
    expect(startTimeOf(process.pid)).toBe(startTimeOf(process.pid));
    expect(startTimeOf(2 ** 22 + 1)).toBeUndefined();
  });

  it('is none for a process that has ended, although nobody has asked how', async () => {
    const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60']);
    const [line] = await once(parent.stdout, 'data');
    expect(await waitUntil(() => startTimeOf(Number(line)) === undefined, { timeoutMs: 5000 })).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'close');
  });
});
