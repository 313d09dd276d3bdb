export { githubEventCodec } from './github-event.codec.js';
export { GITHUB_EVENTS, GithubEvent } from './github-event.js';
export { photoCodec } from './photo.codec.js';
export { IMAGES, Photo, PHOTO_TYPES, type PhotoType, type Thumbnail, type Thumbnails } from './photo.js';
