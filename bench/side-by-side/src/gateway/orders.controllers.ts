import { Body, Controller, HttpCode, Post, type Type } from '@nestjs/common';
import { InjectWorkQueue, type PublishReceipt, RefusesEarly, WorkQueue } from '@spillway/work-queue';
import { Order } from './order.js';

/** Publishes; the same for a queue with room and for a full one. */
export function publishingController(queue: string): Type {
  @Controller('orders')
  class OrdersController {
    constructor(@InjectWorkQueue(queue) private readonly orders: WorkQueue<Order>) {}

    @Post()
    @HttpCode(202)
    @RefusesEarly(queue) // `ours` pays for its look, `refused` gains.
    accept(@Body() order: Order): Promise<PublishReceipt> {
      return this.orders.publish(order);
    }
  }
  return OrdersController;
}

/** The ceiling: everything but the publish, with an answer of the same size. */
@Controller('orders')
export class UnpublishedOrdersController {
  @Post()
  @HttpCode(202)
  accept(@Body() order: Order): PublishReceipt {
    return { id: order.id, queue: 'orders', mayBeDropped: false };
  }
}
