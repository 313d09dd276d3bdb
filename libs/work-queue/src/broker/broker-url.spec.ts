import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConfigurationError } from '../errors/configuration.error.js';
import { parseBrokerUrl } from './broker-url.js';

function messageOf(url: string): string {
  try {
    parseBrokerUrl(url, 'RABBITMQ_URL');
    return 'no error';
  } catch (error) {
    return error instanceof ConfigurationError ? error.message : `not typed: ${String(error)}`;
  }
}

describe('an AMQP URL', () => {
  it('is taken apart', () => {
    expect(parseBrokerUrl('amqp://ann:secret@rabbit.example:5673/shop', 'RABBITMQ_URL')).toEqual({
      protocol: 'amqp',
      hostname: 'rabbit.example',
      port: 5673,
      username: 'ann',
      password: 'secret',
      vhost: 'shop',
      safeUrl: 'amqp://rabbit.example:5673/shop',
    });
  });

  it.each(['amqp://rabbit', 'amqp://rabbit/', 'amqp://rabbit/%2F', 'amqp://rabbit:5672/%2f'])(
    'has the broker’s own defaults for what %s leaves out',
    (url) => {
      expect(parseBrokerUrl(url, 'RABBITMQ_URL')).toEqual({
        protocol: 'amqp',
        hostname: 'rabbit',
        port: 5672,
        username: 'guest',
        password: 'guest',
        vhost: '/',
        safeUrl: 'amqp://rabbit:5672',
      });
    },
  );

  it('has another port when it is encrypted', () => {
    expect(parseBrokerUrl('amqps://rabbit', 'RABBITMQ_URL')).toMatchObject({ protocol: 'amqps', port: 5671 });
  });

  it('may name an IPv6 address', () => {
    expect(parseBrokerUrl('amqp://[::1]:5673', 'RABBITMQ_URL')).toMatchObject({
      hostname: '::1',
      port: 5673,
      safeUrl: 'amqp://[::1]:5673',
    });
  });

  it('brings back any user, password and vhost that was escaped', () => {
    const text = fc.string({ minLength: 1, unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, text, (username, password, vhost) => {
        const [user, secret, path] = [username, password, vhost].map(encodeURIComponent);
        // A path of dots is one the URL standard takes away.
        fc.pre(!/^\.+$/.test(vhost));
        expect(parseBrokerUrl(`amqp://${user}:${secret}@rabbit/${path}`, 'RABBITMQ_URL')).toMatchObject({
          username,
          password,
          vhost,
        });
      }),
    );
  });

  it.each(['http://rabbit', 'rabbit:5672', 'amqp://', '', 'amqp://rabbit:port'])(
    'is refused when it is %p',
    (url) => {
      expect(messageOf(url)).toMatch(/^RABBITMQ_URL: expected an AMQP URL such as amqp:.*, got: "/);
    },
  );

  it.each(['amqp://ann:sec%zzret@rabbit', 'amqp://rabbit/%zz', 'amqp://%E0%A4%A@rabbit'])(
    'is refused with a typed error when its escapes are wrong: %s',
    (url) => {
      expect(messageOf(url)).toMatch(/^RABBITMQ_URL: expected an AMQP URL/);
    },
  );

  it.each([
    'http://ann:secret@rabbit',
    'http://ann:sec/secret@rabbit',
    'amqp://ann:sec/secret@rabbit:5672',
    'amqp://ann:se:secret@rabbit:port',
    'amqp://ann:se@secret@rabbit:port',
    'amqp://:secret@rabbit:port',
    'ann:secret@rabbit',
    'amqp://ann:secret%zz@rabbit',
  ])('never shows its password when it is refused: %s', (url) => {
    expect(messageOf(url)).toContain('rabbit');
    expect(messageOf(url)).not.toContain('secret');
  });

  it('never shows its password in the form for messages', () => {
    expect(parseBrokerUrl('amqp://ann:secret@rabbit', 'RABBITMQ_URL').safeUrl).not.toMatch(/ann|secret/);
  });
});
