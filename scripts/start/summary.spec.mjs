import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { curlLine, summary } from './summary.mjs';

const GATEWAY = 'http://127.0.0.1:3000';
const BODY = '{"zen":"Keep it logically awesome."}';

/** @param {object} [changes] */
const facts = (changes) => ({
  port: 3000,
  broker: {
    kind: /** @type {const} */ ('private'),
    name: 'a private node',
    url: 'amqp://guest:guest@127.0.0.1:20001',
    managementUrl: 'http://guest:guest@127.0.0.1:20002',
    isStartedHere: true,
    stop: async () => {},
  },
  env: {},
  ...changes,
});

describe('the line to try', () => {
  it('is one line with a new delivery id each time', () => {
    const line = curlLine(GATEWAY, undefined);
    expect(line).not.toContain('\n');
    expect(line).toMatch(/-H 'X-GitHub-Delivery: [0-9a-f-]{36}'/);
    expect(line).not.toBe(curlLine(GATEWAY, undefined));
  });

  it('is not signed without a secret', () => {
    expect(curlLine(GATEWAY, '')).not.toContain('Signature');
  });

  it('carries the signature of its body if there is a secret', () => {
    const signature = createHmac('sha256', 's3cret').update(BODY).digest('hex');
    const line = curlLine(GATEWAY, 's3cret');
    expect(line).toContain(`-H 'X-Hub-Signature-256: sha256=${signature}'`);
    expect(line).toContain(`-d '${BODY}'`);
    expect(line).not.toContain('s3cret');
  });
});

describe('the summary', () => {
  it('says where the management of our own broker is, and how to log in', () => {
    expect(summary(facts())).toContain('http://127.0.0.1:20002/  (user guest, password guest)');
  });

  it('keeps the passwords of what is not ours', () => {
    const broker = {
      ...facts().broker,
      kind: 'external',
      url: 'amqp://me:pw1@b',
      managementUrl: 'http://me:pw2@b:15672',
    };
    const text = summary(facts({ broker, env: { DATABASE_URL: 'postgresql://me:pw3@db/x' } }));
    expect(text).toContain('http://b:15672/');
    expect(text).not.toMatch(/pw[123]/);
  });

  it('names the address that the gateway listens on, unless that is all of them', () => {
    expect(summary(facts({ env: { HOST: 'localhost' } }))).toContain('http://localhost:3000/health/ready');
    expect(summary(facts({ env: { HOST: '0.0.0.0' } }))).toContain('http://127.0.0.1:3000/health/ready');
  });

  it('says how to send a photograph, and where its sizes will be', () => {
    expect(summary(facts())).toContain(`curl -i ${GATEWAY}/images --data-binary @photo.jpg`);
    expect(summary(facts())).toContain('.spillway/thumbnails/');
    expect(summary(facts({ env: { SPILLWAY_DATA_DIR: '/data' } }))).toContain('/data/thumbnails/');
    expect(summary(facts({ env: { THUMBNAILS_FOLDER: '/pictures' } }))).toContain('/pictures/');
  });

  it('sends replays to the gateway where it is', () => {
    expect(summary(facts())).toContain('\nnpm run replay');
    expect(summary(facts({ port: 3001 }))).toContain('\nPORT=3001 npm run replay');
  });
});
