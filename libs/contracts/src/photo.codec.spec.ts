import { describe, expect, it } from '@jest/globals';
import { validateSync } from 'class-validator';
import { Photo, PHOTO_TYPES } from './photo.js';
import { photoCodec } from './photo.codec.js';

const BYTES = Buffer.from([0xff, 0xd8, 0xff, 0x00]);

describe('a photograph in a message', () => {
  it.each(PHOTO_TYPES)('of type %s comes back as it was, its bytes untouched', (type) => {
    const photo = new Photo({ type, bytes: BYTES });
    const { body, contentType } = photoCodec.encode(photo);
    expect(body).toBe(BYTES);
    expect(photoCodec.decode({ body: BYTES, contentType })).toEqual(photo);
    expect(validateSync(photo)).toEqual([]);
  });

  it.each(['application/json', undefined])('is not valid with content type %s', (contentType) => {
    const photo = photoCodec.decode({ body: BYTES, contentType });
    expect(validateSync(photo).map(({ property }) => property)).toEqual(['type']);
  });
});
