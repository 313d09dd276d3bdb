import { describe, expect, it } from '@jest/globals';
import { GatewayOptionsError, readGatewayOptions } from './gateway.options.js';

describe('the gateway options', () => {
  it('have safe defaults', () => {
    expect(readGatewayOptions({})).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      githubWebhookSecret: undefined,
      maxBodyBytes: 1024 * 1024,
      maxImageBytes: 10 * 1024 * 1024,
      maxWaitMs: 30_000,
      logLevels: ['fatal', 'error', 'warn', 'log'],
    });
  });

  it('take an empty variable for one that is not set', () => {
    expect(readGatewayOptions({ PORT: '', HOST: '', GITHUB_WEBHOOK_SECRET: '', LOG_LEVEL: '' })).toEqual(
      readGatewayOptions({}),
    );
  });

  it('come from the environment', () => {
    const environment = {
      PORT: '0',
      HOST: '::1',
      GITHUB_WEBHOOK_SECRET: 's',
      MAX_BODY_BYTES: '10',
      MAX_IMAGE_BYTES: '20',
      MAX_WAIT_SECONDS: '0',
      LOG_LEVEL: 'error',
    };
    expect(readGatewayOptions(environment)).toMatchObject({
      port: 0,
      host: '::1',
      githubWebhookSecret: 's',
      maxBodyBytes: 10,
      maxImageBytes: 20,
      maxWaitMs: 0,
      logLevels: ['fatal', 'error'],
    });
  });

  it('name every wrong variable at once, with what is expected and what was given', () => {
    const read = () => readGatewayOptions({ PORT: '70000', MAX_BODY_BYTES: '16777216', LOG_LEVEL: 'loud' });
    expect(read).toThrow(GatewayOptionsError);
    expect(read).toThrow(/PORT: expected an integer from 0 to 65535, got: "70000"/);
    expect(read).toThrow(/MAX_BODY_BYTES: expected an integer from 1 to 15728640, got: "16777216"/);
    expect(read).toThrow(/LOG_LEVEL: expected one of .*, got: "loud"/);
  });

  it.each(['3e3', '-1', '3000x', ' ', '0x10'])('refuse the port %j', (text) => {
    expect(() => readGatewayOptions({ PORT: text })).toThrow(GatewayOptionsError);
  });
});
