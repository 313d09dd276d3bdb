/** Injection token of the raw options given to `WorkQueueModule.forRoot` or its async form. */
export const WORK_QUEUE_OPTIONS = 'WorkQueueOptions';
/** Injection token of the resolved settings. */
export const WORK_QUEUE_SETTINGS = 'WorkQueueSettings';

/** Injection token of one queue. NestJS prints it when it is missing, so it says what to do. */
export function workQueueToken(name: string): string {
  return `WorkQueue ${JSON.stringify(name)} (list it in WorkQueueModule.forRoot({ queues: [...] }))`;
}
