import { describe, expect, it } from '@jest/globals';
import { pinnedImage } from './docker.mjs';

describe('the image of the broker', () => {
  it('is the one that docker-compose.yml pins', () => {
    expect(pinnedImage()).toMatch(/^rabbitmq:4\.\d.*-management$/);
  });

  it('is missed if docker-compose.yml names none', () => {
    expect(() => pinnedImage('services: {}')).toThrow(/docker-compose\.yml names no image/);
  });
});
