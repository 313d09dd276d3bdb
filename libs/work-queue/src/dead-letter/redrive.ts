import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from '../broker/broker.port.js';
import type { RedriveOptions, RedriveProgress, RedriveResult } from './dead-letter-results.js';
import { redrivenMessage } from './redriven-message.js';
import type { Resender } from './resender.js';
import type { SelectedLetters } from './selected-letters.js';

interface RedriveParts {
  readonly queue: string;
  readonly letters: SelectedLetters;
  readonly resender: Resender;
  readonly dryRun: boolean;
  readonly onProgress: RedriveOptions['onProgress'];
}

/** Each selected letter: published to its work queue again, confirmed, and only then removed. */
export class Redrive {
  private readonly unsendable: Array<RedriveResult['unsendable'][number]> = [];

  constructor(private readonly parts: RedriveParts) {}

  /** Never rejects, as `SelectedLetters.remove`. */
  async run(): Promise<RedriveResult> {
    const { letters, dryRun } = this.parts;
    const result = await letters.remove(
      async (letter) => !dryRun && (await this.isStored(letter)),
      () => this.tell(),
    );
    return { ...result, redriven: letters.removed, unsendable: this.unsendable };
  }

  private async isStored(letter: IncomingMessage): Promise<boolean> {
    const { queue, letters, resender } = this.parts;
    const messageId = letter.messageId ?? randomUUID();
    const end = await resender.resend({
      message: () => redrivenMessage(letter, { queue, messageId, sentAt: Date.now() }),
      assertHeld: () => letters.assertHeld(),
      onWaiting: (refusal, forMs) => this.tell({ because: refusal.message, forMs }),
    });
    if (end.kind === 'unsendable') this.unsendable.push({ id: letter.messageId, because: end.because });
    return end.kind === 'stored';
  }

  private tell(waiting?: RedriveProgress['waiting']): void {
    const { letters, onProgress } = this.parts;
    const progress = { ...letters.progress, redriven: letters.removed };
    onProgress?.(waiting ? { ...progress, waiting } : progress);
  }
}
