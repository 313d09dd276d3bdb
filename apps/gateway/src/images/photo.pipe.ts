import {
  BadRequestException,
  Injectable,
  type PipeTransform,
  UnsupportedMediaTypeException,
} from '@nestjs/common';
import { Photo, PHOTO_TYPES } from '@spillway/contracts';
import { photoTypeOf } from './photo-type.js';

/** A body as a photograph by its content: 400 when there is none, 415 when it is anything else. */
@Injectable()
export class PhotoPipe implements PipeTransform<Buffer, Photo> {
  transform(bytes: Buffer): Photo {
    if (bytes.length === 0) throw new BadRequestException('the body is empty: expected a photograph');
    const type = photoTypeOf(bytes);
    if (type !== undefined) return new Photo({ type, bytes });
    throw new UnsupportedMediaTypeException(
      `the body is no photograph: expected ${PHOTO_TYPES.join(', ')}, by its content`,
    );
  }
}
