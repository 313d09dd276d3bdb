import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a child sends back for one question. */
export type Reply<Answer> = { readonly answer: Answer } | { readonly problem: string };

interface MeasuredProcessOptions {
  /** For messages. */
  readonly name: string;
  /** The file it runs, which calls `answerParent`. */
  readonly file: URL;
  /** Kills it when aborted. */
  readonly signal: AbortSignal;
}

/** A process of its own for one candidate, so that its CPU time is its alone. Answers one question at a time. */
export class MeasuredProcess<Question extends object, Answer> {
  private readonly child: ChildProcess;

  constructor(private readonly options: MeasuredProcessOptions) {
    const { file, signal } = options;
    // Its stdout is our stderr: ours carries the report alone.
    this.child = fork(file, { signal, stdio: ['ignore', 2, 2, 'ipc'] });
    // An abort is told here as well as by the exit, which whoever waits for an answer hears of.
    this.child.on('error', () => undefined);
  }

  /** @throws when it cannot answer, or ends before it has */
  ask(question: Question): Promise<Answer> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      const onExit = () => settle({ problem: 'it ended before it answered' });
      const settle = (reply: Reply<Answer>) => {
        child.off('exit', onExit);
        child.off('message', settle);
        if ('answer' in reply) resolve(reply.answer);
        else reject(new Error(`${this.options.name}: ${reply.problem}`));
      };
      if (!child.connected) return onExit();
      child.on('exit', onExit);
      child.on('message', settle);
      child.send(question);
    });
  }

  async stop(): Promise<void> {
    if (!this.child.connected) return;
    const hasEnded = once(this.child, 'exit');
    this.child.disconnect();
    await hasEnded;
  }
}
