import { Inject } from '@nestjs/common';
import { workQueueToken } from './tokens.js';

/**
 * Injects the `WorkQueue<T>` of a queue listed in `WorkQueueModule.forRoot({ queues: [...] })`.
 *
 * @example constructor(@InjectWorkQueue('invoices') private readonly invoices: WorkQueue<Invoice>) {}
 */
export function InjectWorkQueue(name: string): ParameterDecorator & PropertyDecorator {
  return Inject(workQueueToken(name));
}
