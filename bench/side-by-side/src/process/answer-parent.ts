import type { Reply } from './measured-process.js';

/** The child's side of `MeasuredProcess`. Ends this process when the parent is gone or has had enough. */
export function answerParent<Question, Answer>(answer: (question: Question) => Promise<Answer>): void {
  process.on('message', (question: Question) => void reply(answer(question)));
  process.on('disconnect', () => process.exit());
}

async function reply<Answer>(answering: Promise<Answer>): Promise<void> {
  const message: Reply<Answer> = await answering.then(
    (answer) => ({ answer }),
    (error: unknown) => ({
      problem: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  process.send?.(message);
}
