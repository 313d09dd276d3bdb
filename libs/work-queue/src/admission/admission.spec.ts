import { describe, expect, it } from '@jest/globals';
import type { QueueReading } from '../broker/broker.port.js';
import { Admission, type AdmissionRules } from './admission.js';
import type { Permit } from './gate.js';
import type { Pass } from './passes.js';

const RULES: AdmissionRules = {
  type: 'classic',
  maxLength: 100,
  window: 10,
  serviceTimeMs: 100,
  concurrencyTotal: 1,
  shedLowAt: 0.8,
};

function setUp(rules: Partial<AdmissionRules> = {}) {
  const world = { now: 0, ready: 0 as number | undefined, looks: 0 };
  const look = async (): Promise<QueueReading | undefined> => {
    world.looks++;
    return world.ready === undefined ? undefined : { readyMessages: world.ready, consumers: 1 };
  };
  const admission = new Admission({ ...RULES, ...rules }, look, () => world.now);
  const enterLow = async (): Promise<Permit | undefined> => {
    await admission.ready('low');
    return admission.enter('low');
  };
  return { admission, world, enterLow };
}

function admitted(admission: Admission): Permit {
  const permit = admission.enter('normal');
  if (!permit) throw new Error('shed');
  return permit;
}

function passOf(admitted: 'shed' | Pass | undefined): Pass {
  if (admitted === 'shed' || !admitted) throw new Error('no pass');
  return admitted;
}

describe('admission of low priority', () => {
  it('ends at its share of the limit, and normal priority goes on', async () => {
    const { admission, world, enterLow } = setUp();
    world.ready = 79;
    expect(await enterLow()).toBeDefined();
    world.now += 10;
    world.ready = 80;
    expect(await enterLow()).toBeUndefined();
    expect(admission.enter('normal')).toBeDefined();
  });

  it('counts what was let in since the last look, so that a burst does not pass on one reading', async () => {
    const { world, enterLow } = setUp();
    world.ready = 70;
    const burst = await Promise.all(Array.from({ length: 50 }, enterLow));
    expect(burst.filter(Boolean)).toHaveLength(10);
    expect(world.looks).toBe(1);
  });

  it('follows a limit that was changed', async () => {
    const { admission, world, enterLow } = setUp();
    world.ready = 90;
    admission.limitChanged(200);
    expect(await enterLow()).toBeDefined();
  });

  it('is as for all when the queue cannot be read', async () => {
    const { world, enterLow } = setUp();
    world.ready = undefined;
    expect(await enterLow()).toBeDefined();
  });

  it('is refused before the body is read only by a look that is fresh', async () => {
    const { admission, world } = setUp();
    world.ready = 100;
    expect(admission.preadmit('low')).toBeUndefined();
    await admission.read();
    expect(admission.preadmit('low')).toBe('shed');
    world.now += 51;
    expect(admission.preadmit('low')).toBeUndefined();
  });

  it('never gets through to a queue of one place that is taken', async () => {
    const { world, enterLow } = setUp({ maxLength: 1 });
    expect(await enterLow()).toBeDefined();
    world.now += 10;
    world.ready = 1;
    expect(await enterLow()).toBeUndefined();
  });
});

describe('admission before the body is read', () => {
  it('asks for nothing while the gate is open', () => {
    const { admission } = setUp();
    expect(admission.preadmit('normal')).toBeUndefined();
  });

  it('sheds while the gate is shut, but for the one that may become the next probe', () => {
    const { admission, world } = setUp();
    admission.nacked(admitted(admission));
    expect(admission.preadmit('normal')).toBe('shed');
    // One place comes free every 100 ms.
    world.now = 100;
    passOf(admission.preadmit('normal'));
    expect(admission.preadmit('normal')).toBe('shed');
    expect(admitted(admission).isProbe).toBe(true);
  });

  it('sheds what a gate that opens slowly has no place for', () => {
    const { admission, world } = setUp();
    admission.nacked(admitted(admission));
    world.now = 100;
    admission.accepted(admitted(admission));
    expect(admission.preadmit('normal')).toBeUndefined();
    const onTheirWay = [admitted(admission), admitted(admission)];
    expect(admission.preadmit('normal')).toBe('shed');
    onTheirWay.forEach((permit) => admission.accepted(permit));
    expect(admission.preadmit('normal')).toBeUndefined();
  });

  it('lets the next one go on when that one never came to its publish', () => {
    const { admission, world } = setUp();
    admission.nacked(admitted(admission));
    world.now = 100;
    passOf(admission.preadmit('normal')).end();
    passOf(admission.preadmit('normal'));
    passOf(admission.preadmit('normal'));
    expect(admission.preadmit('normal')).toBe('shed');
  });

  it('counts as demand what it sheds', () => {
    const { admission } = setUp();
    admission.accepted(admitted(admission));
    admission.nacked(admitted(admission));
    for (let count = 0; count < 8; count++) admission.preadmit('normal');
    expect(admission.demandRatio).toBe(10);
  });
});
