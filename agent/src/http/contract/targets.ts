import { type Static, Type } from 'typebox';
import { told } from './answers.ts';

const workers = Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 1000 });

/** Who a command is for; there is no default, since it would be everybody. */
export const TargetBody = told(
  Type.Object(
    {
      all: Type.Optional(Type.Literal(true, { description: 'Every worker' })),
      workers: Type.Optional({ ...workers, description: 'Node names' }),
      pattern: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'Node names like this' })),
      matcher: Type.Optional(Type.Enum(['glob', 'pcre'], { description: 'Of `pattern`; default `glob`' })),
    },
    { additionalProperties: false, description: 'One of `all`, `workers`, `pattern`' },
  ),
  {
    oneOf: ['all', 'workers', 'pattern'].map((name) => ({ required: [name] })),
    dependentRequired: { matcher: ['pattern'] },
  },
);
export type TargetBody = Static<typeof TargetBody>;
