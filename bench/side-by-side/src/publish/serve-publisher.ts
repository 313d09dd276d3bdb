import { answerParent } from '../process/answer-parent.js';
import { type Load, measure, type Measurement } from './measure.js';
import type { OpenClient, PublishTarget } from './publish-client.js';

/** One cell: connect, load, measure, disconnect. */
export interface PublishQuestion {
  readonly target: PublishTarget;
  readonly load: Load;
}

/** All that a client's process does, cell after cell. */
export function servePublisher(open: OpenClient): void {
  answerParent<PublishQuestion, Measurement>(async ({ target, load }) => {
    const client = await open(target);
    try {
      return await measure(client, load);
    } finally {
      await client.close();
    }
  });
}
