import {
  type CanActivate,
  Controller,
  type INestApplicationContext,
  type INestMicroservice,
  Injectable,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type AsyncMicroserviceOptions,
  ClientProxy,
  ClientsModule,
  Ctx,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Payload,
  RmqRecordBuilder,
} from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  HEADERS,
  type JobSettled,
  QueueFullError,
  WorkContext,
  WorkQueue,
  WorkQueueClient,
  WorkQueueRuntime,
  workQueueToken,
  WorkQueueTransport,
} from '@spillway/work-queue';
import { finalize, firstValueFrom, type Observable, of, throwError } from 'rxjs';
import { Journal } from '../../support/journal.js';
import { takeAll } from '../../support/messages.js';
import {
  NestApplications,
  nextSettled,
  process,
  rootModule,
  SMALL,
} from '../../support/nest-applications.js';

let journal: Journal;
let apps: NestApplications;

beforeEach(async () => {
  journal = new Journal();
  apps = await NestApplications.create();
});

afterEach(() => apps.close());

@Injectable()
class Guard implements CanActivate {
  canActivate(): boolean {
    journal.write('guard');
    return true;
  }
}

// n.b. <string>: with a text, @EventPattern otherwise takes an overload that wants (data, ...unknown[]) methods.
@Controller()
class CatsController {
  @EventPattern<string>('cat.created')
  @UseGuards(Guard)
  created(@Payload() payload: { name: string }, @Ctx() context: WorkContext): void {
    journal.write(`created ${payload.name} from ${context.queue}, tenant ${String(context.headers.tenant)}`);
  }

  @EventPattern({ cmd: 'rename' })
  renamed(@Payload('name') name: string): Observable<string> {
    journal.write(`renamed ${name}`);
    return of('first', 'last').pipe(finalize(() => journal.write('stream completed')));
  }

  @EventPattern<string>('cat.broken')
  broken(): Observable<never> {
    journal.write('broken');
    return throwError(() => new Error('a broken cat'));
  }

  @EventPattern<string>('cat.lost')
  lost(): never {
    journal.write('lost');
    throw new Error('cannot find the cat');
  }

  @MessagePattern('cat.named')
  named(@Payload('name') name: string): { cat: string } {
    return { cat: name };
  }

  @EventPattern<string>('cats')
  plain(@Payload() payload: string): void {
    journal.write(`no pattern: ${payload}`);
  }
}

/** Emits from an application of its own: nothing but the queue is shared with the one that handles. */
async function startClient(queue: object = SMALL, replyTimeoutMs?: number): Promise<ClientProxy> {
  const client = ClientsModule.registerAsync([
    {
      name: 'CATS',
      inject: [workQueueToken('cats')],
      useFactory: (cats: WorkQueue) => ({
        customClass: WorkQueueClient,
        options: { queue: cats, replyTimeoutMs },
      }),
    },
  ]);
  const app = await apps.start({ imports: [apps.workQueue({ cats: queue }, { name: 'client' }), client] });
  return app.get<ClientProxy>('CATS', { strict: false });
}

async function startMicroservice(controllers: Type[] = [CatsController]): Promise<INestMicroservice> {
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(
    rootModule({ imports: [apps.workQueue({ cats: SMALL })], controllers }),
    {
      inject: [WorkQueueRuntime],
      useFactory: (runtime: WorkQueueRuntime) => ({
        strategy: new WorkQueueTransport({ runtime, queue: 'cats' }),
      }),
      logger: false,
      abortOnError: false,
    },
  );
  await apps.adopt(app).listen();
  return app;
}

/** Emits and resolves with how the message ended in the other application. */
async function emit(
  client: ClientProxy,
  app: INestApplicationContext,
  pattern: unknown,
  payload: unknown,
): Promise<JobSettled> {
  const settled = nextSettled(app, 'cats');
  await firstValueFrom(client.emit(pattern, payload));
  return settled;
}

it('an emitted event reaches its @EventPattern method in another application, with guards, headers and context', async () => {
  const [client, app] = [await startClient(), await startMicroservice()];
  const record = new RmqRecordBuilder({ name: 'Tom' })
    .setOptions({ headers: { tenant: 'a' }, messageId: 'cat-1' })
    .build();
  const settled = nextSettled(app, 'cats');
  await expect(firstValueFrom(client.emit('cat.created', record))).resolves.toEqual({
    id: 'cat-1',
    queue: 'cats',
    mayBeDropped: false,
  });
  await expect(settled).resolves.toMatchObject({ end: 'succeeded', messageId: 'cat-1' });
  expect(journal.entries).toEqual(['guard', 'created Tom from cats, tenant a']);
});

it('several patterns share one queue, an object pattern too, and a stream is a success once it completes', async () => {
  const [client, app] = [await startClient(), await startMicroservice()];
  await expect(emit(client, app, { cmd: 'rename' }, { name: 'Kit' })).resolves.toMatchObject({
    end: 'succeeded',
  });
  await expect(emit(client, app, 'cat.created', { name: 'Tom' })).resolves.toMatchObject({
    end: 'succeeded',
  });
  expect(journal.entries).toEqual([
    'renamed Kit',
    'stream completed',
    'guard',
    'created Tom from cats, tenant undefined',
  ]);
});

it('a message without a pattern goes to the pattern named like its queue', async () => {
  const app = await startMicroservice();
  await expect(process(app, 'cats', 'hello')).resolves.toMatchObject({ end: 'succeeded' });
  expect(journal.entries).toEqual(['no pattern: hello']);
});

it('two methods with one pattern both get the event', async () => {
  @Controller()
  class Other {
    @EventPattern<string>('cat.created')
    created(@Payload('name') name: string): void {
      journal.write(`other ${name}`);
    }
  }
  const [client, app] = [await startClient(), await startMicroservice([CatsController, Other])];
  await expect(emit(client, app, 'cat.created', { name: 'Tom' })).resolves.toMatchObject({
    end: 'succeeded',
  });
  expect([...journal.entries].sort()).toEqual([
    'created Tom from cats, tenant undefined',
    'guard',
    'other Tom',
  ]);
});

it('a pattern that nobody handles is dead-lettered at once, and the dead letter names it', async () => {
  const [client, app] = [await startClient(), await startMicroservice()];
  await expect(emit(client, app, 'dog.created', 1)).resolves.toMatchObject({
    end: 'dead-lettered',
    attempt: 1,
  });
  const [dead] = await takeAll(apps.vhost.url, 'cats.dead');
  expect(dead?.headers).toMatchObject({
    [HEADERS.pattern]: 'dog.created',
    [HEADERS.deadReason]: 'permanent',
    [HEADERS.deadError]:
      'PermanentFailure: no @EventPattern or @MessagePattern("dog.created") in this application',
  });
});

it.each([
  ['throws', 'cat.lost', 'lost'],
  ['streams an error', 'cat.broken', 'broken'],
])('a method that %s is called again, then its message is dead-lettered', async (_how, pattern, entry) => {
  const [client, app] = [await startClient(), await startMicroservice()];
  await expect(emit(client, app, pattern, {})).resolves.toMatchObject({ end: 'dead-lettered', attempt: 2 });
  expect(journal.entries).toEqual([entry, entry]);
  const [dead] = await takeAll(apps.vhost.url, 'cats.dead');
  expect(dead?.headers).toMatchObject({ [HEADERS.deadReason]: 'failed', [HEADERS.deadAttempts]: 2 });
  expect(dead?.headers[HEADERS.deadError]).toContain('Internal server error');
});

it('send gives what the @MessagePattern method in another application returns', async () => {
  const client = await startClient();
  await startMicroservice();
  await expect(firstValueFrom(client.send('cat.named', { name: 'Tom' }))).resolves.toEqual({ cat: 'Tom' });
});

it('send fails when there is no result in time, and the work goes on', async () => {
  const client = await startClient(SMALL, 100);
  const sent = firstValueFrom(client.send('cat.named', { name: 'Tom' }));
  await expect(sent).rejects.toThrow(
    /^no result of cat\.named within 100 ms \(time-is-up\); the work is stored/,
  );
  await expect(takeAll(apps.vhost.url, 'cats')).resolves.toHaveLength(1);
});

it('emit fails with the typed error when the queue is full', async () => {
  const client = await startClient({ ...SMALL, maxLength: 1 });
  await firstValueFrom(client.emit('cat.created', 1));
  await expect(firstValueFrom(client.emit('cat.created', 2))).rejects.toThrow(QueueFullError);
});

describe('a hybrid application', () => {
  async function create(): Promise<NestFastifyApplication> {
    const metadata = { imports: [apps.workQueue({ cats: SMALL })], controllers: [CatsController] };
    const app = await NestFactory.create<NestFastifyApplication>(rootModule(metadata), new FastifyAdapter(), {
      logger: false,
      abortOnError: false,
    });
    const strategy = new WorkQueueTransport({ runtime: app.get(WorkQueueRuntime), queue: 'cats' });
    app.connectMicroservice<MicroserviceOptions>({ strategy });
    return apps.adopt(app);
  }

  it('handles events once it is initialised and its microservices are started', async () => {
    const app = await create();
    await app.init();
    await app.startAllMicroservices();
    await expect(process(app, 'cats', 'hello')).resolves.toMatchObject({ end: 'succeeded' });
    expect(journal.entries).toEqual(['no pattern: hello']);
  });

  it('that starts its microservices before init is told what to do', async () => {
    const app = await create();
    await expect(app.startAllMicroservices()).rejects.toThrow('await app.init()');
  });
});
