import {
  BadRequestException,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type Provider,
  UnprocessableEntityException,
} from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { HEADERS, PermanentFailure, WorkContext, WorkHandler } from '@spillway/work-queue';
import { Type } from 'class-transformer';
import { IsInt, IsString, Min, ValidateNested } from 'class-validator';
import { putBytes, takeAll } from '../../support/messages.js';
import { NestApplications, nextSettled, process, SMALL } from '../../support/nest-applications.js';

class Address {
  @IsString()
  city: string;
}

class Order {
  @IsInt()
  @Min(1)
  quantity: number;

  @ValidateNested()
  @Type(() => Address)
  address: Address;
}

const order = { quantity: 2, address: { city: 'Oslo' } };
const Header = createParamDecorator((name: string, context: ExecutionContext): unknown => {
  return context.switchToRpc().getContext<WorkContext>().headers[name];
});

let calls: unknown[][];
let apps: NestApplications;

beforeEach(async () => {
  calls = [];
  apps = await NestApplications.create();
});

afterEach(() => apps.close());

@Injectable()
class OrdersProvider {
  @WorkHandler('whole')
  whole(@Payload() payload: Order, @Ctx() context: WorkContext): void {
    calls.push([payload, context]);
  }

  @WorkHandler('swapped')
  swapped(@Ctx() context: WorkContext, @Payload() payload: Order): void {
    calls.push([payload, context]);
  }

  @WorkHandler('field')
  field(@Payload('quantity') quantity: number, @Payload('absent') absent: unknown): void {
    calls.push([quantity, absent]);
  }

  @WorkHandler('plain')
  plain(payload: Order, context: WorkContext): void {
    calls.push([payload, context]);
  }

  @WorkHandler('untyped')
  untyped(@Payload() payload: { quantity: number }): void {
    calls.push([payload]);
  }

  @WorkHandler('failing')
  failing(payload: unknown, context: WorkContext): Promise<void> {
    calls.push([payload, context.attempt]);
    return Promise.reject(
      payload === 'hopeless' ? new PermanentFailure('no such order') : new Error('no database'),
    );
  }

  @WorkHandler('bad-request')
  badRequest(@Payload() payload: string): void {
    calls.push([payload]);
    throw payload === '400' ? new BadRequestException(['a', 'b']) : new UnprocessableEntityException('c');
  }

  @WorkHandler('custom')
  custom(@Header(HEADERS.publishedAt) publishedAt: unknown, @Payload() payload: unknown): void {
    calls.push([publishedAt, payload]);
  }
}

@Controller()
class OrdersController {
  @WorkHandler('controller')
  whole(@Payload() payload: Order, @Ctx() context: WorkContext): void {
    calls.push([payload, context]);
  }

  @WorkHandler('controller-plain')
  plain(payload: Order, context: WorkContext): void {
    calls.push([payload, context]);
  }
}

const QUEUES = Object.fromEntries(
  [
    'whole',
    'swapped',
    'field',
    'plain',
    'untyped',
    'failing',
    'bad-request',
    'custom',
    'controller',
    'controller-plain',
  ].map((name) => [name, SMALL]),
);

async function startHandlers(): ReturnType<NestApplications['start']> {
  return apps.start({
    imports: [apps.workQueue(QUEUES)],
    providers: [OrdersProvider],
    controllers: [OrdersController],
  });
}

it.each(['whole', 'swapped', 'plain', 'controller', 'controller-plain'])(
  'the %s handler gets the validated DTO and the WorkContext',
  async (queue) => {
    const settled = await process(await startHandlers(), queue, order);
    expect(settled).toMatchObject({ end: 'succeeded', attempt: 1 });
    const [payload, context] = calls[0] ?? [];
    expect(calls).toHaveLength(1);
    expect(payload).toBeInstanceOf(Order);
    expect(payload).toMatchObject(order);
    expect(payload instanceof Order && payload.address).toBeInstanceOf(Address);
    expect(context).toBeInstanceOf(WorkContext);
    expect(context).toMatchObject({ queue, messageId: settled.messageId, attempt: 1, isRedelivered: false });
  },
);

it('@Payload with a name gives one field, and undefined for one that is not there', async () => {
  await process(await startHandlers(), 'field', order);
  expect(calls).toEqual([[2, undefined]]);
});

it('a parameter decorator of the application reads the message like an RPC context', async () => {
  await process(await startHandlers(), 'custom', 'hello');
  expect(calls).toEqual([[expect.any(Number), 'hello']]);
});

it.each(['whole', 'swapped', 'plain', 'controller', 'controller-plain'])(
  'a payload that violates the DTO of the %s handler is dead-lettered at once, and the handler is not called',
  async (queue) => {
    const settled = await process(await startHandlers(), queue, { quantity: 0, address: { city: 7 } });
    expect(settled).toMatchObject({ end: 'dead-lettered' });
    expect(calls).toEqual([]);
    const [dead] = await takeAll(apps.vhost.url, `${queue}.dead`);
    expect(dead?.payload).toEqual({ quantity: 0, address: { city: 7 } });
    expect(dead?.headers).toMatchObject({ [HEADERS.deadReason]: 'invalid', [HEADERS.deadQueue]: queue });
    expect(dead?.headers[HEADERS.deadError]).toContain('quantity must not be less than 1');
    expect(dead?.headers[HEADERS.deadError]).toContain('address.city: city must be a string');
  },
);

it.each([
  ['a string', 'text'],
  ['null', null],
  ['a list', [order]],
])('%s where a DTO is expected is dead-lettered as invalid', async (_what, payload) => {
  await expect(process(await startHandlers(), 'whole', payload)).resolves.toMatchObject({
    end: 'dead-lettered',
  });
  expect(calls).toEqual([]);
});

it('a payload without a class of its own reaches the handler as it was published', async () => {
  await process(await startHandlers(), 'untyped', { quantity: -1, extra: true });
  expect(calls).toEqual([[{ quantity: -1, extra: true }]]);
});

it('a handler that throws is called again, and its message is dead-lettered after maxAttempts', async () => {
  const settled = await process(await startHandlers(), 'failing', 'job');
  expect(settled).toMatchObject({ end: 'dead-lettered', attempt: 2 });
  expect(calls).toEqual([
    ['job', 1],
    ['job', 2],
  ]);
  const [dead] = await takeAll(apps.vhost.url, 'failing.dead');
  expect(dead?.headers).toMatchObject({
    [HEADERS.deadReason]: 'failed',
    [HEADERS.deadAttempts]: 2,
    [HEADERS.deadError]: 'Error: no database',
  });
});

it('a PermanentFailure is not tried again', async () => {
  await expect(process(await startHandlers(), 'failing', 'hopeless')).resolves.toMatchObject({ attempt: 1 });
  const [dead] = await takeAll(apps.vhost.url, 'failing.dead');
  expect(dead?.headers).toMatchObject({ [HEADERS.deadReason]: 'permanent' });
});

it.each([
  ['400', 'a; b'],
  ['422', 'c'],
])('a %s exception of NestJS is not tried again, and the dead letter says why', async (status, why) => {
  await expect(process(await startHandlers(), 'bad-request', status)).resolves.toMatchObject({ attempt: 1 });
  const [dead] = await takeAll(apps.vhost.url, 'bad-request.dead');
  expect(dead?.headers).toMatchObject({
    [HEADERS.deadReason]: 'invalid',
    [HEADERS.deadError]: `InvalidPayload: payload is not valid: ${why}`,
  });
});

it('a message of a stranger, without id and headers, is handled under an id of its own', async () => {
  const settled = nextSettled(await startHandlers(), 'plain');
  await putBytes(apps.vhost.url, 'plain', JSON.stringify(order));
  const { end, messageId } = await settled;
  expect({ end, messageId }).toEqual({
    end: 'succeeded',
    messageId: expect.stringMatching(/^[\da-f-]{36}$/),
  });
  expect(calls[0]?.[1]).toMatchObject({ messageId, publishedAt: undefined });
});

it('a payload that cannot be decoded is dead-lettered at once', async () => {
  const settled = nextSettled(await startHandlers(), 'untyped');
  await putBytes(apps.vhost.url, 'untyped', 'no JSON');
  await expect(settled).resolves.toMatchObject({ end: 'dead-lettered' });
  expect(calls).toEqual([]);
});

describe('a handler class', () => {
  class Base {
    @WorkHandler('whole')
    handle(@Payload() payload: unknown): void {
      calls.push([this.constructor.name, payload]);
    }
  }

  class Derived extends Base {
    get connection(): never {
      throw new Error('a getter was called');
    }
  }

  const providers: Array<[string, Provider[], string]> = [
    ['inherits the handler', [Derived], 'Derived'],
    ['is provided under a token', [{ provide: 'TOKEN', useClass: Derived }], 'Derived'],
    ['is made by a factory', [{ provide: 'TOKEN', useFactory: () => new Base() }], 'Base'],
    ['is given as a value', [{ provide: Base, useValue: new Derived() }], 'Derived'],
    ['has an alias', [Base, { provide: 'ALIAS', useExisting: Base }], 'Base'],
  ];

  it.each(providers)('that %s is found once', async (_how, given, name) => {
    const app = await apps.start({ imports: [apps.workQueue({ whole: SMALL })], providers: given });
    await process(app, 'whole', 'hello');
    expect(calls).toEqual([[name, 'hello']]);
  });
});
