import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { GATEWAY_OPTIONS } from '../gateway.tokens.js';
import type { GatewayOptions } from '../gateway.options.js';
import { rawBodyOf } from '../http/raw-body.decorator.js';

const HEADER = 'x-hub-signature-256';

/** Lets a webhook in when its HMAC over the raw body is right, or when no secret is configured. */
@Injectable()
export class SignatureGuard implements CanActivate {
  constructor(@Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions) {}

  canActivate(context: ExecutionContext): boolean {
    const secret = this.options.githubWebhookSecret;
    if (secret === undefined) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const given = request.headers[HEADER];
    if (given === undefined) throw new UnauthorizedException('X-Hub-Signature-256 is missing');
    if (!isSignatureRight(String(given), rawBodyOf(request), secret)) {
      throw new UnauthorizedException('X-Hub-Signature-256 does not match the body');
    }
    return true;
  }
}

/** Constant time: what is compared has the same length whatever was sent. */
function isSignatureRight(given: string, body: Buffer, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(body).digest();
  const hex = /^sha256=([0-9a-f]{64})$/i.exec(given)?.[1];
  const actual = hex === undefined ? Buffer.alloc(expected.length) : Buffer.from(hex, 'hex');
  return timingSafeEqual(expected, actual) && hex !== undefined;
}
