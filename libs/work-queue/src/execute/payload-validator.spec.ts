import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Type } from 'class-transformer';
import { ArrayMinSize, IsInt, IsString, Min, ValidateNested } from 'class-validator';
import { PermanentFailure } from '../errors/permanent-failure.error.js';
import { InvalidPayload, validatePayload } from './payload-validator.js';

class Item {
  @IsString()
  readonly sku: string;

  @IsInt()
  @Min(1)
  readonly count: number;
}

class Order {
  @IsString()
  readonly id: string;

  @ValidateNested({ each: true })
  @ArrayMinSize(1)
  @Type(() => Item)
  readonly items: Item[];
}

class Bytes {
  constructor(readonly data: Buffer) {}
}

async function violationsOf(payload: unknown): Promise<readonly string[]> {
  const error: unknown = await validatePayload(payload, Order, 'orders').catch((thrown: unknown) => thrown);
  return error instanceof InvalidPayload ? error.violations : ['none'];
}

describe('validating a payload', () => {
  it('makes instances all the way down', async () => {
    const order = await validatePayload({ id: '7', items: [{ sku: 'a', count: 1 }] }, Order, 'orders');
    expect(order).toBeInstanceOf(Order);
    expect(order).toMatchObject({ items: [expect.any(Item)] });
  });

  it('names every violation, with the path of those further down', async () => {
    expect(
      await violationsOf({
        items: [
          { sku: 'a', count: 1 },
          { sku: 2, count: 0 },
        ],
      }),
    ).toEqual([
      'id must be a string',
      'items.1.sku: sku must be a string',
      'items.1.count: count must not be less than 1',
    ]);
  });

  it('throws a permanent failure that knows its queue: no retry changes a payload', async () => {
    const error: unknown = await validatePayload({}, Order, 'orders').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PermanentFailure);
    expect(error).toMatchObject({ queue: 'orders', message: expect.stringContaining('id must be a string') });
  });

  it('stops counting violations at some point', async () => {
    const items = Array.from({ length: 200 }, () => ({}));
    expect(await violationsOf({ id: '7', items })).toHaveLength(50);
  });

  it('leaves an instance that a codec made as it is', async () => {
    const bytes = new Bytes(Buffer.from('x'));
    expect(await validatePayload(bytes, Bytes, 'orders')).toBe(bytes);
  });

  it.each([
    ['null', null],
    ['an array', [{ id: '7' }]],
    ['string', 'text'],
    ['number', 7],
    ['boolean', true],
    ['undefined', undefined],
  ])('refuses %s', async (description, payload) => {
    expect(await violationsOf(payload)).toEqual([`expected an object for Order, got: ${description}`]);
  });
});
