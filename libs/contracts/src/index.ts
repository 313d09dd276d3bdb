export { githubEventCodec } from './github-event.codec.js';
export { GITHUB_EVENTS, GithubEvent } from './github-event.js';
