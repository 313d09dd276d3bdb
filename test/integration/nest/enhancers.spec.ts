import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  type INestApplicationContext,
  Inject,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
  Scope,
  SetMetadata,
  type Type,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE, Reflector } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import { HEADERS, WorkContext, WorkHandler } from '@spillway/work-queue';
import { IsInt } from 'class-validator';
import { map, type Observable } from 'rxjs';
import { Journal } from '../../support/journal.js';
import { takeAll } from '../../support/messages.js';
import { type HandlerHost, NestApplications, process } from '../../support/nest-applications.js';

let journal: Journal;
let apps: NestApplications;

beforeEach(async () => {
  journal = new Journal();
  apps = await NestApplications.create();
});

afterEach(() => apps.close());

function start(
  host: HandlerHost,
  handler: Type,
  providers: Provider[] = [],
): Promise<INestApplicationContext> {
  return apps.startHandler(host, handler, [{ provide: Journal, useValue: journal }, ...providers]);
}

/** Guard, interceptor and pipe in one, with a dependency, so that one without its injection fails. */
abstract class Enhancer implements CanActivate, NestInterceptor, PipeTransform {
  abstract readonly level: string;

  constructor(@Inject(Journal) protected readonly seen: Journal) {}

  canActivate(): boolean {
    this.seen.write(`${this.level} guard`);
    return true;
  }

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.seen.write(`${this.level} interceptor before`);
    return next.handle().pipe(
      map((result: unknown) => {
        this.seen.write(`${this.level} interceptor after`);
        return result;
      }),
    );
  }

  transform(value: unknown): unknown {
    if (!(value instanceof WorkContext)) this.seen.write(`${this.level} pipe`);
    return value;
  }
}

@Injectable()
class OnMethod extends Enhancer {
  readonly level = 'method';
}

@Injectable()
class OnClass extends Enhancer {
  readonly level = 'class';
}

@Injectable()
class Globally extends Enhancer {
  readonly level = 'global';
}

@Injectable()
@UseGuards(OnClass)
@UseInterceptors(OnClass)
@UsePipes(OnClass)
class EnhancedProvider {
  @UseGuards(OnMethod)
  @UseInterceptors(OnMethod)
  @UsePipes(OnMethod)
  @WorkHandler('jobs')
  handle(@Payload() _payload: unknown, @Ctx() _context: WorkContext): void {
    journal.write('handler');
  }
}

@Controller()
@UseGuards(OnClass)
@UseInterceptors(OnClass)
@UsePipes(OnClass)
class EnhancedController {
  // Below the others: the order of decorators must not matter.
  @WorkHandler('jobs')
  @UseGuards(OnMethod)
  @UseInterceptors(OnMethod)
  @UsePipes(OnMethod)
  handle(@Payload() _payload: unknown, @Ctx() _context: WorkContext): void {
    journal.write('handler');
  }
}

const HOSTS: Array<[HandlerHost, Type]> = [
  ['provider', EnhancedProvider],
  ['controller', EnhancedController],
];

describe.each(HOSTS)('on a %s', (host, handler) => {
  it('guards, interceptors and pipes of method, class and application run in the order of NestJS', async () => {
    const app = await start(host, handler, [
      { provide: APP_GUARD, useClass: Globally },
      { provide: APP_INTERCEPTOR, useClass: Globally },
      { provide: APP_PIPE, useClass: Globally },
    ]);
    await expect(process(app, 'jobs', 'hello')).resolves.toMatchObject({ end: 'succeeded' });
    expect(journal.entries).toEqual([
      'global guard',
      'class guard',
      'method guard',
      'global interceptor before',
      'class interceptor before',
      'method interceptor before',
      'global pipe',
      'class pipe',
      'method pipe',
      'handler',
      'method interceptor after',
      'class interceptor after',
      'global interceptor after',
    ]);
  });

  it.each([
    ['request-scoped', Scope.REQUEST],
    ['transient', Scope.TRANSIENT],
  ])('a %s global guard, interceptor and pipe run', async (_name, scope) => {
    const app = await start(host, handler, [
      { provide: APP_GUARD, useClass: Globally, scope },
      { provide: APP_INTERCEPTOR, useClass: Globally, scope },
      { provide: APP_PIPE, useClass: Globally, scope },
    ]);
    await expect(process(app, 'jobs', 'hello')).resolves.toMatchObject({ end: 'succeeded' });
    expect(journal.entries).toEqual(
      expect.arrayContaining([
        'global guard',
        'global interceptor before',
        'global pipe',
        'class guard',
        'method guard',
        'handler',
      ]),
    );
  });
});

describe.each([
  ['request-scoped', Scope.REQUEST],
  ['transient', Scope.TRANSIENT],
])('a %s guard class', (_name, scope) => {
  @Injectable({ scope })
  class ScopedGuard implements CanActivate {
    constructor(private readonly seen: Journal) {}

    canActivate(): boolean {
      this.seen.write('guard');
      return true;
    }
  }

  @Injectable()
  @UseGuards(ScopedGuard)
  class GuardedProvider {
    @WorkHandler('jobs')
    handle(): void {
      journal.write('handler');
    }
  }

  @Controller()
  @UseGuards(ScopedGuard)
  class GuardedController {
    @WorkHandler('jobs')
    handle(): void {
      journal.write('handler');
    }
  }

  const hosts: Array<[HandlerHost, Type]> = [
    ['provider', GuardedProvider],
    ['controller', GuardedController],
  ];
  it.each(hosts)('guards the handlers of a %s', async (host, handler) => {
    await expect(process(await start(host, handler), 'jobs', 'hello')).resolves.toMatchObject({
      end: 'succeeded',
    });
    expect(journal.entries).toEqual(['guard', 'handler']);
  });
});

describe('the execution context', () => {
  const Role = (name: string): MethodDecorator => SetMetadata('role', name);

  @Injectable()
  class RoleGuard implements CanActivate {
    constructor(private readonly reflector: Reflector) {}

    canActivate(context: ExecutionContext): boolean {
      const rpc = context.switchToRpc();
      journal.write(`${context.getType()} ${context.getClass().name}.${context.getHandler().name}`);
      journal.write(`role ${this.reflector.get<string>('role', context.getHandler())}`);
      journal.write(`data ${String(rpc.getData())} of ${rpc.getContext<WorkContext>().queue}`);
      return true;
    }
  }

  @Controller()
  @UseGuards(RoleGuard)
  class RoleController {
    @Role('printer')
    @WorkHandler('jobs')
    print(@Payload() _payload: unknown): void {
      journal.write('handler');
    }
  }

  it('tells a guard type, class, method, its metadata, payload and WorkContext', async () => {
    await process(await start('controller', RoleController), 'jobs', 'hello');
    expect(journal.entries).toEqual([
      'rpc RoleController.print',
      'role printer',
      'data hello of jobs',
      'handler',
    ]);
  });
});

describe('a guard that says no', () => {
  @Injectable()
  class No implements CanActivate {
    canActivate(): boolean {
      journal.write('no');
      return false;
    }
  }

  @Injectable()
  class Guarded {
    @UseGuards(No)
    @WorkHandler('jobs')
    handle(): void {
      journal.write('handler');
    }
  }

  it('fails each attempt, and the handler is never called', async () => {
    const settled = await process(await start('provider', Guarded), 'jobs', 'hello');
    expect(settled).toMatchObject({ end: 'dead-lettered', attempt: 2 });
    expect(settled.error).toBeInstanceOf(ForbiddenException);
    expect(journal.entries).toEqual(['no', 'no']);
  });
});

describe('a ValidationPipe', () => {
  class Order {
    @IsInt()
    quantity: number;
  }

  @Injectable()
  class Piped {
    @WorkHandler('jobs')
    handle(@Payload('order', new ValidationPipe({ expectedType: Order })) payload: Order): void {
      journal.write(`handler ${payload.constructor.name}`);
    }
  }

  it('dead-letters what it refuses at once, with its reasons', async () => {
    const app = await start('provider', Piped);
    await expect(process(app, 'jobs', { order: { quantity: 'two' } })).resolves.toMatchObject({
      end: 'dead-lettered',
      attempt: 1,
    });
    const [dead] = await takeAll(apps.vhost.url, 'jobs.dead');
    expect(dead?.headers[HEADERS.deadError]).toContain('quantity must be an integer number');
    expect(journal.entries).toEqual([]);
  });
});

describe('a ValidationPipe of the whole handler', () => {
  class Order {
    @IsInt()
    quantity: number;
  }

  class Typed {
    @WorkHandler('jobs')
    @UsePipes(new ValidationPipe({ errorFormat: 'grouped', expectedType: Order }))
    handle(@Payload() _payload: unknown): void {
      journal.write('handler');
    }
  }

  it('says what it refused in its other format, too', async () => {
    await process(await start('provider', Typed), 'jobs', { quantity: 'two' });
    const [dead] = await takeAll(apps.vhost.url, 'jobs.dead');
    expect(dead?.headers[HEADERS.deadError]).toContain('quantity must be an integer number');
    expect(journal.entries).toEqual([]);
  });
});
