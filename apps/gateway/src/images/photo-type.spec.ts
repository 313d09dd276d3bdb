import { describe, expect, it } from '@jest/globals';
import { photoTypeOf } from './photo-type.js';

const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');

describe('the type of a photograph', () => {
  it.each([
    ['image/jpeg', '\xff\xd8\xff\xe0\x00\x10JFIF'],
    ['image/jpeg', '\xff\xd8\xff\xe1\x00\x10Exif'],
    ['image/png', '\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR'],
    ['image/webp', 'RIFF\x0a\n\r\x00WEBPVP8 '],
  ])('is %s for a file that begins so', (type, start) => {
    expect(photoTypeOf(bytes(start))).toBe(type);
  });

  it.each([
    ['nothing', ''],
    ['a text', 'just a text'],
    ['a GIF', 'GIF89a'],
    ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['a RIFF file with sound', 'RIFF\x0a\n\r\x00WAVEfmt '],
    ['a PNG that went through a text conversion', '\x89PNG\n\x1a\n'],
    ['two bytes of a JPEG', '\xff\xd8'],
    ['a JPEG behind something else', ' \xff\xd8\xff\xe0'],
  ])('is not known for %s', (_kind, start) => {
    expect(photoTypeOf(bytes(start))).toBeUndefined();
  });
});
