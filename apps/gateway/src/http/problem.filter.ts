import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { STATUS_CODES } from 'node:http';

/** An HTTP error as `application/problem+json` (RFC 9457), with every violation of a bad request named. */
@Catch(HttpException)
@Injectable()
export class ProblemFilter implements ExceptionFilter<HttpException> {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: HttpException, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const response: unknown = host.switchToHttp().getResponse();
    const status = error.getStatus();
    const violations = violationsOf(error);
    const problem = {
      type: 'about:blank',
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail: error.message,
      ...(violations ? { violations } : {}),
    };
    httpAdapter.setHeader(response, 'Content-Type', 'application/problem+json; charset=utf-8');
    httpAdapter.reply(response, JSON.stringify(problem), status);
  }
}

function violationsOf(error: HttpException): unknown {
  const response = error.getResponse();
  return typeof response === 'object' ? Reflect.get(response, 'violations') : undefined;
}
