import { type TProperties, Type } from 'typebox';
import type { ControlCommand } from '../../core/control/commands.ts';
import { type Parameter, STAMP } from '../../core/control/parameter.ts';
import { told } from './answers.ts';

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

/** What the document says of the arguments of a command beside `propertiesOf`. */
export function rulesOf({ parameters }: ControlCommand): {
  readonly additionalProperties: false;
  readonly required?: string[];
} {
  const required = parameters.filter((parameter) => parameter.required === true).map(({ name }) => name);
  return { additionalProperties: false, ...(required.length > 0 && { required }) };
}

/** No zero byte in it. */
const NO_ZERO = '^[^\\u0000]*$';
/** The same of an entry of a list in a query, where commas part entries. */
const NO_ZERO_COMMAS = '^[^,\\u0000]+(,[^,\\u0000]+)*$';

/** What the command's own check asks for. */
function rulesOfParameter(parameter: Parameter, place: 'body' | 'query'): Record<string, unknown> {
  switch (parameter.kind) {
    case 'text':
      return { minLength: 1, pattern: parameter.pattern?.source ?? NO_ZERO };
    case 'choice':
      return { enum: parameter.values };
    case 'texts': {
      const pattern = place === 'query' ? NO_ZERO_COMMAS : NO_ZERO;
      return { minItems: 1, items: { type: 'string', minLength: 1, maxLength: parameter.maxLength, pattern } };
    }
    case 'stamps': {
      const text = { minLength: 1, ...STAMP, pattern: NO_ZERO };
      const value = { type: 'string', ...text };
      const values = { type: 'array', minItems: 1, maxItems: parameter.maxValues, items: value };
      return { minProperties: 1, propertyNames: text, additionalProperties: { anyOf: [value, values] } };
    }
    default:
      return {};
  }
}

/** The arguments of a command. Which are required, the command's own check says. */
export function propertiesOf({ parameters }: ControlCommand, place: 'body' | 'query'): TProperties {
  return Object.fromEntries(
    parameters.map((parameter) => {
      const schema = Object.entries(schemaOfParameter(parameter)).filter(([key]) => key !== 'default');
      const rules = rulesOfParameter(parameter, place);
      return [parameter.name, Type.Optional(told(Type.Unsafe<unknown>(Object.fromEntries(schema)), rules))];
    }),
  );
}
