import { Body, Controller, HttpCode, Injectable, Module, Post } from '@nestjs/common';
import { InjectWorkQueue, WorkHandler, WorkQueue, WorkQueueModule } from '@spillway/work-queue';
import { IsEmail } from 'class-validator';

class Invoice {
  @IsEmail() to: string;
}

@Controller('invoices')
class InvoicesController {
  constructor(@InjectWorkQueue('invoices') private readonly invoices: WorkQueue<Invoice>) {}

  @Post()
  @HttpCode(202) // once it is stored; 503 with Retry-After when the queue is full
  accept(@Body() invoice: Invoice) {
    return this.invoices.publish(invoice);
  }
}

@Injectable()
class InvoicePrinter {
  @WorkHandler('invoices') // validated, at most 4 at once, retried later, dead-lettered, drained at shutdown
  async print(invoice: Invoice) {
    console.log(`printed for ${invoice.to}`);
  }
}

@Module({
  imports: [WorkQueueModule.forRoot({ queues: ['invoices'] })],
  controllers: [InvoicesController],
  providers: [InvoicePrinter],
})
export class AppModule {}
