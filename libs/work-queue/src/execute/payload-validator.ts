import { plainToInstance } from 'class-transformer';
import { validate, type ValidationError } from 'class-validator';
import { PermanentFailure } from '../errors/permanent-failure.error.js';

export type PayloadType = abstract new (...args: never[]) => object;

/** Deep enough for any sane DTO, bounded for a hostile one. */
const MAX_VIOLATIONS = 50;

/** The payload is not what the handler's DTO, or the handler itself, says. Carries one line per violation. */
export class InvalidPayload extends PermanentFailure {
  constructor(
    readonly violations: readonly string[],
    queue: string,
    cause?: unknown,
  ) {
    super(`payload is not valid: ${violations.join('; ')}`, { queue, cause });
  }
}

/**
 * An instance of the handler's DTO, validated. A payload that is one already (made by a codec) is validated as it
 * is, since class-transformer would copy every field of it.
 * @throws InvalidPayload
 */
export async function validatePayload(payload: unknown, type: PayloadType, queue: string): Promise<object> {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new InvalidPayload([`expected an object for ${type.name}, got: ${describe(payload)}`], queue);
  }
  const instance = payload instanceof type ? payload : toInstance(payload, type);
  const errors = await validate(instance, {
    forbidUnknownValues: false,
    validationError: { target: false, value: false },
  });
  if (errors.length > 0) throw new InvalidPayload(violationsOf(errors).slice(0, MAX_VIOLATIONS), queue);
  return instance;
}

function toInstance(payload: object, type: PayloadType): object {
  return plainToInstance(type as new () => object, payload);
}

function violationsOf(errors: readonly ValidationError[], path = ''): string[] {
  return errors.flatMap((error) => {
    const here = path === '' ? error.property : `${path}.${error.property}`;
    const own = Object.values(error.constraints ?? {}).map((text) =>
      path === '' ? text : `${here}: ${text}`,
    );
    return [...own, ...violationsOf(error.children ?? [], here)];
  });
}

function describe(payload: unknown): string {
  if (payload === null) return 'null';
  return Array.isArray(payload) ? 'an array' : typeof payload;
}
