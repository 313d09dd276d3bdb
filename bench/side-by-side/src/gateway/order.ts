import { IsEmail, IsInt, IsString, IsUUID, MaxLength, Min } from 'class-validator';

/** What is posted. */
export class Order {
  @IsUUID() id: string;
  @IsEmail() customer: string;
  @IsInt() @Min(1) quantity: number;
  @IsString() @MaxLength(400) note: string;
}

const BODY_BYTES = 300;
const ORDER = {
  id: '5f0c3c4e-9d0b-4a53-8f6f-1f0f9f3f7c11',
  customer: 'someone@example.com',
  quantity: 3,
  note: '',
} satisfies Order;

/** 300 bytes of JSON that are valid. */
export const ORDER_JSON = JSON.stringify({
  ...ORDER,
  note: 'x'.repeat(BODY_BYTES - JSON.stringify(ORDER).length),
});
