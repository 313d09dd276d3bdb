import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Telemetry } from './telemetry.js';

afterEach(() => {
  jest.restoreAllMocks();
});

describe('telemetry', () => {
  it('tells every listener of an event until it stops listening', () => {
    const telemetry = new Telemetry();
    const heard: string[] = [];
    const stop = telemetry.on('consumer.stopped', ({ queue }) => heard.push(`first ${queue}`));
    telemetry.on('consumer.stopped', ({ queue }) => heard.push(`second ${queue}`));
    telemetry.emit('consumer.stopped', { queue: 'orders' });
    stop();
    telemetry.emit('consumer.stopped', { queue: 'orders' });
    expect(heard).toEqual(['first orders', 'second orders', 'second orders']);
  });

  it('survives a listener that throws, whatever it throws, and goes on to the next', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    for (const thrown of [new Error('defect'), undefined, Object.create(null)]) {
      const telemetry = new Telemetry();
      const heard: string[] = [];
      telemetry.on('consumer.stopped', () => {
        throw thrown;
      });
      telemetry.on('consumer.stopped', ({ queue }) => heard.push(queue));
      expect(() => telemetry.emit('consumer.stopped', { queue: 'orders' })).not.toThrow();
      expect(heard).toEqual(['orders']);
    }
    expect(warn).toHaveBeenCalledTimes(3);
    expect(warn).toHaveBeenCalledWith('telemetry listener of consumer.stopped threw: Error: defect');
  });
});
