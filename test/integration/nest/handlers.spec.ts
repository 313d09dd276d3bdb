import { Controller, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { HEADERS, WorkContext, WorkHandler } from '@spillway/work-queue';
import { Type } from 'class-transformer';
import { IsInt, IsString, Min, ValidateNested } from 'class-validator';
import { takeAll } from '../../support/messages.js';
import { NestApplications, process, SMALL } from '../../support/nest-applications.js';

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
class Provider {
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

  @WorkHandler('interface')
  untyped(payload: unknown, @Header('x-tenant') _tenant?: unknown): void {
    calls.push([payload]);
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
  ['whole', 'swapped', 'field', 'plain', 'interface', 'custom', 'controller', 'controller-plain'].map((name) => [
    name,
    SMALL,
  ]),
);

async function startHandlers(): ReturnType<NestApplications['start']> {
  return apps.start({
    imports: [apps.workQueue(QUEUES)],
    providers: [Provider],
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

it.each([['a string', 'text'], ['null', null], ['a list', [order]]])(
  '%s where a DTO is expected is dead-lettered as invalid',
  async (_what, payload) => {
    await expect(process(await startHandlers(), 'whole', payload)).resolves.toMatchObject({ end: 'dead-lettered' });
    expect(calls).toEqual([]);
  },
);
