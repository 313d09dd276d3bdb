import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import { createEventTable } from '../events/event.table.js';
import { EventStore } from '../events/event.store.js';
import { EventDatabase } from './event-database.js';
import { type DatabaseOptions, openEventDatabase } from './open-event-database.js';

/**
 * The open database with its table, and the store of events on it.
 *
 * Closes in `onApplicationShutdown`, the last hook: consumers drain in the earlier ones, and their handlers still write.
 */
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  /** Making the application fails with a DatabaseUnavailableError if there is no database. */
  static forRoot(options: DatabaseOptions): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [{ provide: EventDatabase, useFactory: () => openWithTable(options) }, EventStore],
      exports: [EventStore],
    };
  }

  constructor(private readonly database: EventDatabase) {}

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}

async function openWithTable(options: DatabaseOptions): Promise<EventDatabase> {
  const database = await openEventDatabase(options);
  try {
    await createEventTable(database);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
