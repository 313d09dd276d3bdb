import { ExternalErrorProxy } from '@nestjs/core/helpers/external-proxy.js';

type CreateProxy = ExternalErrorProxy['createProxy'];

/**
 * Lets a failure go on when its exception filter returned nothing. NestJS does so too, but takes the promise of an
 * asynchronous filter for an answer: one that only reports errors would turn every failure into a success.
 */
export class UnansweredErrorProxy extends ExternalErrorProxy {
  override createProxy(...[target, filters, type]: Parameters<CreateProxy>): ReturnType<CreateProxy> {
    const answering: typeof filters = Object.create(filters);
    answering.next = async (error, host) => {
      // n.b. not `next`, which logs what it throws on; a failure is logged where it is settled.
      const answer: unknown = await filters.invokeCustomFilters(error, host);
      if (answer === undefined) throw error;
      return answer;
    };
    return super.createProxy(target, answering, type);
  }
}
