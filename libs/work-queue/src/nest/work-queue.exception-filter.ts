import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { PublishRefusedError } from '../errors/publish-refused.error.js';
import { retryAfterSeconds, toProblem } from './problem.js';

/**
 * Answers HTTP requests whose publish was refused: 503 with `Retry-After` when coming back helps, 500 or 413 when
 * not, always `application/problem+json`. Installed for the whole application by WorkQueueModule; to answer another
 * way use `@UseFilters` or `app.useGlobalFilters`, since NestJS asks an `APP_FILTER` of the root module after this one.
 */
@Catch(PublishRefusedError)
@Injectable()
export class WorkQueueExceptionFilter implements ExceptionFilter<PublishRefusedError> {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: PublishRefusedError, host: ArgumentsHost): unknown {
    // In a handler the failed publish is a failed attempt; returning nothing lets it go on as it was thrown.
    if (host.getType() !== 'http') return undefined;
    const response: unknown = host.switchToHttp().getResponse();
    const { httpAdapter } = this.adapterHost;
    const problem = toProblem(error);
    httpAdapter.setHeader(response, 'Content-Type', 'application/problem+json; charset=utf-8');
    if (error.retryAfterMs !== undefined) {
      httpAdapter.setHeader(response, 'Retry-After', String(retryAfterSeconds(error.retryAfterMs)));
    }
    httpAdapter.reply(response, JSON.stringify(problem), problem.status);
    return undefined;
  }
}
