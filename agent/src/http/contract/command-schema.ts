import { type TProperties, Type } from 'typebox';
import type { ControlCommand } from '../../core/control/commands.ts';
import type { Parameter } from '../../core/control/parameter.ts';

/** What a form and the docs need to know of a parameter; the command itself checks its arguments. */
export function schemaOfParameter(parameter: Parameter): Record<string, unknown> {
  const description = parameter.doc;
  const fallback = 'default' in parameter ? { default: parameter.default } : {};
  switch (parameter.kind) {
    case 'text':
      return { type: 'string', maxLength: parameter.maxLength, description, ...fallback };
    case 'choice':
      return { type: 'string', examples: parameter.values, description, ...fallback };
    case 'texts':
      return { type: 'array', items: { type: 'string' }, maxItems: parameter.maxItems, description };
    case 'whole':
      return { type: 'integer', minimum: parameter.min, maximum: parameter.max, description, ...fallback };
    case 'seconds':
      return { type: ['number', 'null'], minimum: parameter.min, maximum: parameter.max, description };
    case 'flag':
      return { type: 'boolean', description, ...fallback };
    case 'stamps':
      return { type: 'object', additionalProperties: true, description };
  }
}

/** The arguments of a command, in a body or a query. Which are required, the command's own check says. */
export function propertiesOf({ parameters }: ControlCommand): TProperties {
  return Object.fromEntries(
    parameters.map((parameter) => {
      const schema = Object.entries(schemaOfParameter(parameter)).filter(([key]) => key !== 'default');
      return [parameter.name, Type.Optional(Type.Unsafe<unknown>(Object.fromEntries(schema)))];
    }),
  );
}
