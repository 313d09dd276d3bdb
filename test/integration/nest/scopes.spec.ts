import {
  type CanActivate,
  Controller,
  Inject,
  Injectable,
  Scope,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import { HEADERS, WorkContext, WorkHandler } from '@spillway/work-queue';
import { IsInt } from 'class-validator';
import { Journal } from '../../support/journal.js';
import { takeAll } from '../../support/messages.js';
import { NestApplications, process, SMALL } from '../../support/nest-applications.js';

class Order {
  @IsInt()
  quantity: number;
}

@Injectable()
class Shared {
  readonly name = 'shared';
}

@Injectable({ scope: Scope.REQUEST })
class PerMessage {
  constructor(@Inject(REQUEST) readonly context: WorkContext) {}
}

@Injectable()
class Guard implements CanActivate {
  constructor(private readonly shared: Shared) {}

  canActivate(): boolean {
    guards.write(`guard with ${this.shared.name}`);
    return true;
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedGuard implements CanActivate {
  constructor(@Inject(REQUEST) private readonly context: WorkContext) {}

  canActivate(): boolean {
    guards.write(`scoped guard of ${this.context.messageId}`);
    return true;
  }
}

interface Call {
  readonly instance: object;
  readonly shared: unknown;
  readonly request: unknown;
  readonly context: unknown;
  readonly payload: unknown;
}

let calls: Call[];
let guards: Journal;
let apps: NestApplications;

beforeEach(async () => {
  calls = [];
  guards = new Journal();
  apps = await NestApplications.create();
});

afterEach(() => apps.close());

@Injectable({ scope: Scope.REQUEST })
@UseGuards(Guard, ScopedGuard)
class RequestProvider {
  constructor(
    private readonly shared: Shared,
    @Inject(REQUEST) private readonly request: unknown,
  ) {}

  @WorkHandler('jobs')
  handle(@Payload() payload: Order, @Ctx() context: WorkContext): void {
    calls.push({ instance: this, shared: this.shared, request: this.request, context, payload });
  }
}

@Controller({ path: 'jobs', scope: Scope.REQUEST })
class RequestController extends RequestProvider {
  constructor(shared: Shared, @Inject(REQUEST) request: unknown) {
    super(shared, request);
  }
}

@Injectable()
@UseGuards(Guard, ScopedGuard)
class DependentProvider {
  constructor(
    private readonly shared: Shared,
    private readonly perMessage: PerMessage,
  ) {}

  @WorkHandler('jobs')
  handle(payload: Order, context: WorkContext): void {
    calls.push({ instance: this, shared: this.shared, request: this.perMessage.context, context, payload });
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientProvider extends DependentProvider {
  constructor(shared: Shared, perMessage: PerMessage) {
    super(shared, perMessage);
  }
}

const SCOPED: Array<[string, Type, 'providers' | 'controllers']> = [
  ['request-scoped provider', RequestProvider, 'providers'],
  ['request-scoped controller', RequestController, 'controllers'],
  ['provider with a request-scoped dependency', DependentProvider, 'providers'],
  ['transient provider with a request-scoped dependency', TransientProvider, 'providers'],
];

async function start(
  handler: Type,
  kind: 'providers' | 'controllers',
): ReturnType<NestApplications['start']> {
  return apps.start({
    imports: [apps.workQueue({ jobs: SMALL })],
    providers: [Shared, PerMessage, ...(kind === 'providers' ? [handler] : [])],
    controllers: kind === 'controllers' ? [handler] : [],
  });
}

describe.each(SCOPED)('a %s', (_name, handler, kind) => {
  it('is made anew for each message, with its dependencies and the WorkContext as REQUEST', async () => {
    const app = await start(handler, kind);
    await expect(process(app, 'jobs', { quantity: 1 })).resolves.toMatchObject({ end: 'succeeded' });
    await expect(process(app, 'jobs', { quantity: 2 })).resolves.toMatchObject({ end: 'succeeded' });
    const [first, second] = calls;
    expect(first?.instance).toBeInstanceOf(handler);
    expect(second?.instance).not.toBe(first?.instance);
    expect(first?.shared).toBeInstanceOf(Shared);
    expect(second?.shared).toBe(first?.shared);
    for (const call of calls) {
      expect(call.request).toBeInstanceOf(WorkContext);
      expect(call.request).toBe(call.context);
      expect(call.payload).toBeInstanceOf(Order);
    }
  });

  it('is guarded by its class guards, scoped or not', async () => {
    const { messageId } = await process(await start(handler, kind), 'jobs', { quantity: 1 });
    expect(guards.entries).toEqual(['guard with shared', `scoped guard of ${messageId}`]);
  });

  it('is not called for a payload that violates its DTO', async () => {
    await expect(process(await start(handler, kind), 'jobs', {})).resolves.toMatchObject({
      end: 'dead-lettered',
    });
    expect(calls).toEqual([]);
  });
});

@Injectable({ scope: Scope.TRANSIENT })
@UseGuards(Guard)
class PlainTransient {
  constructor(private readonly shared: Shared) {}

  @WorkHandler('jobs')
  handle(payload: Order, context: WorkContext): void {
    calls.push({ instance: this, shared: this.shared, request: undefined, context, payload });
  }
}

@Controller({ path: 'jobs', scope: Scope.TRANSIENT })
class TransientController extends PlainTransient {
  constructor(shared: Shared) {
    super(shared);
  }
}

const TRANSIENT: Array<[string, Type, 'providers' | 'controllers']> = [
  ['provider', PlainTransient, 'providers'],
  ['controller', TransientController, 'controllers'],
];

it.each(TRANSIENT)(
  'a transient %s is made anew for each message, and is guarded',
  async (_name, handler, kind) => {
    const app = await start(handler, kind);
    await expect(process(app, 'jobs', { quantity: 1 })).resolves.toMatchObject({ end: 'succeeded' });
    await expect(process(app, 'jobs', { quantity: 2 })).resolves.toMatchObject({ end: 'succeeded' });
    const [first, second] = calls;
    expect(first?.instance).toBeInstanceOf(handler);
    expect(second?.instance).not.toBe(first?.instance);
    expect(first?.shared).toBeInstanceOf(Shared);
    expect(guards.entries).toEqual(['guard with shared', 'guard with shared']);
  },
);

it('a transient provider that others inject is still one handler', async () => {
  @Injectable()
  class One {
    constructor(readonly handler: PlainTransient) {}
  }
  @Injectable()
  class Other {
    constructor(readonly handler: PlainTransient) {}
  }
  const app = await apps.start({
    imports: [apps.workQueue({ jobs: SMALL })],
    providers: [Shared, PlainTransient, One, Other],
  });
  await process(app, 'jobs', { quantity: 1 });
  expect(calls).toHaveLength(1);
});

it('a class whose constructor fails is a failed attempt', async () => {
  @Injectable({ scope: Scope.REQUEST })
  class Broken {
    constructor() {
      throw new Error('no connection');
    }

    @WorkHandler('jobs')
    handle(): void {
      calls.push({
        instance: this,
        shared: undefined,
        request: undefined,
        context: undefined,
        payload: undefined,
      });
    }
  }
  const app = await start(Broken, 'providers');
  await expect(process(app, 'jobs', {})).resolves.toMatchObject({ end: 'dead-lettered', attempt: 2 });
  const [dead] = await takeAll(apps.vhost.url, 'jobs.dead');
  expect(dead?.headers).toMatchObject({ [HEADERS.deadError]: 'Error: no connection' });
});
