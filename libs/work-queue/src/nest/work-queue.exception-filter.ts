import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { PublishRefusedError } from '../errors/publish-refused.error.js';
import { WorkFailedError } from '../errors/work-failed.error.js';
import { failedProblem, refusedProblem } from './problem.js';

/**
 * Answers HTTP requests whose publish was refused: 503 with `Retry-After` when coming back helps, 500, 413 or 422 when
 * not; and those that waited for work that failed: 500 or 422. Always `application/problem+json`. Installed for the
 * whole application by WorkQueueModule; to answer another way use `@UseFilters` or `app.useGlobalFilters`, since NestJS
 * asks an `APP_FILTER` of the root module after this one.
 */
@Catch(PublishRefusedError, WorkFailedError)
@Injectable()
export class WorkQueueExceptionFilter implements ExceptionFilter<PublishRefusedError | WorkFailedError> {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: PublishRefusedError | WorkFailedError, host: ArgumentsHost): unknown {
    // In a handler the failed publish is a failed attempt; returning nothing lets it go on as it was thrown.
    if (host.getType() !== 'http') return undefined;
    const response: unknown = host.switchToHttp().getResponse();
    const { httpAdapter } = this.adapterHost;
    const { status, headers, body } =
      error instanceof WorkFailedError ? failedProblem(error) : refusedProblem(error);
    for (const [name, value] of Object.entries(headers)) httpAdapter.setHeader(response, name, value);
    httpAdapter.reply(response, body, status);
    return undefined;
  }
}
