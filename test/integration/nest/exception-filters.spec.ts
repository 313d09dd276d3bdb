import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  type INestApplicationContext,
  Inject,
  Injectable,
  type Provider,
  type Type,
  UseFilters,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Payload } from '@nestjs/microservices';
import { WorkHandler } from '@spillway/work-queue';
import { Journal } from '../../support/journal.js';
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

describe('an exception filter', () => {
  class Known extends Error {}

  abstract class KnownFilter implements ExceptionFilter<Known> {
    abstract readonly answer: string | undefined;

    constructor(@Inject(Journal) private readonly seen: Journal) {}

    catch(error: Known, host: ArgumentsHost): string | undefined {
      this.seen.write(`${host.getType()} ${error.message}`);
      return this.answer;
    }
  }

  @Catch(Known)
  class Handles extends KnownFilter {
    readonly answer = 'handled';
  }

  @Catch(Known)
  class LooksOnly extends KnownFilter {
    readonly answer = undefined;
  }

  @Catch(Known)
  class LooksLong implements ExceptionFilter<Known> {
    constructor(private readonly seen: Journal) {}

    async catch(error: Known): Promise<void> {
      await Promise.resolve();
      this.seen.write(`looked at ${error.message}`);
    }
  }

  class Throws {
    @WorkHandler('jobs')
    handle(@Payload() payload: unknown): void {
      throw payload === 'known' ? new Known('known') : new Error('other');
    }
  }

  @Injectable()
  class FilteredMethod extends Throws {
    @UseFilters(Handles)
    @WorkHandler('jobs')
    override handle(@Payload() payload: unknown): void {
      super.handle(payload);
    }
  }

  @Injectable()
  @UseFilters(Handles)
  class FilteredProvider extends Throws {}

  @Controller()
  @UseFilters(Handles)
  class FilteredController extends Throws {}

  @Injectable()
  @UseFilters(LooksOnly)
  class Watched extends Throws {}

  @Injectable()
  @UseFilters(LooksLong)
  class WatchedLong extends Throws {}

  const filtered: Array<[string, HandlerHost, Type, Provider[]]> = [
    ['on the method', 'provider', FilteredMethod, []],
    ['on the provider', 'provider', FilteredProvider, []],
    ['on the controller', 'controller', FilteredController, []],
    ['of the application', 'provider', Throws, [{ provide: APP_FILTER, useClass: Handles }]],
  ];

  it.each(filtered)(
    '%s that returns a value has handled the failure',
    async (_where, host, handler, providers) => {
      const app = await start(host, handler, providers);
      await expect(process(app, 'jobs', 'known')).resolves.toMatchObject({ end: 'succeeded', attempt: 1 });
      expect(journal.entries).toEqual(['rpc known']);
    },
  );

  it('that is for another error leaves the failure as it is', async () => {
    const app = await start('provider', FilteredProvider);
    await expect(process(app, 'jobs', 'other')).resolves.toMatchObject({ end: 'dead-lettered', attempt: 2 });
    expect(journal.entries).toEqual([]);
  });

  it('that returns nothing leaves the failure as it is', async () => {
    const settled = await process(await start('provider', Watched), 'jobs', 'known');
    expect(settled).toMatchObject({ end: 'dead-lettered', attempt: 2 });
    expect(settled.error).toBeInstanceOf(Known);
    expect(journal.entries).toEqual(['rpc known', 'rpc known']);
  });

  it('that is asynchronous and returns nothing leaves the failure as it is, too', async () => {
    const settled = await process(await start('provider', WatchedLong), 'jobs', 'known');
    expect(settled).toMatchObject({ end: 'dead-lettered', attempt: 2 });
    expect(settled.error).toBeInstanceOf(Known);
    expect(journal.entries).toEqual(['looked at known', 'looked at known']);
  });
});
