import type { Commands } from '../api';

export type CommandParameter = Commands['commands'][number]['parameters'][number];

/** How a parameter of a command is asked for. */
export type FieldKind = 'text' | 'number' | 'boolean' | 'choice';

/** What was typed, by parameter. */
export type FieldTexts = Readonly<Record<string, string>>;

interface ParameterSchema {
  readonly type?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

export function schemaOf(parameter: CommandParameter): ParameterSchema {
  return parameter.schema as ParameterSchema;
}

export function fieldKind(parameter: CommandParameter): FieldKind {
  const { type, enum: choices } = schemaOf(parameter);
  const types = Array.isArray(type) ? type : [type];
  if (choices !== undefined) {
    return 'choice';
  }
  if (types.includes('boolean')) {
    return 'boolean';
  }
  return types.includes('integer') || types.includes('number') ? 'number' : 'text';
}

/** What stands in the fields before anything is typed. */
export function initialTexts(
  parameters: readonly CommandParameter[],
  given: Readonly<Record<string, unknown>> = {},
): FieldTexts {
  return Object.fromEntries(
    parameters.map((parameter) => {
      const value = given[parameter.name] ?? schemaOf(parameter).default;
      return [parameter.name, value === undefined || value === null ? '' : String(value)];
    }),
  );
}

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** The arguments of a command as typed, and what is wrong with them; an empty optional field is left out. */
export function readFields(
  parameters: readonly CommandParameter[],
  texts: FieldTexts,
): { args: Record<string, unknown>; problems: FieldProblem[] } {
  const args: Record<string, unknown> = {};
  const problems: FieldProblem[] = [];
  for (const parameter of parameters) {
    const text = (texts[parameter.name] ?? '').trim();
    if (text === '') {
      if (parameter.required) {
        problems.push({ field: parameter.name, message: `${parameter.name} is needed.` });
      }
      continue;
    }
    const problem = numberProblem(parameter, text);
    if (problem === undefined) {
      args[parameter.name] = valueOf(parameter, text);
    } else {
      problems.push({ field: parameter.name, message: problem });
    }
  }
  return { args, problems };
}

function valueOf(parameter: CommandParameter, text: string): unknown {
  switch (fieldKind(parameter)) {
    case 'number':
      return Number(text);
    case 'boolean':
      return text === 'true';
    default:
      return text;
  }
}

function numberProblem(parameter: CommandParameter, text: string): string | undefined {
  if (fieldKind(parameter) !== 'number') {
    return undefined;
  }
  const { name } = parameter;
  const { type, minimum, maximum } = schemaOf(parameter);
  const value = Number(text);
  if (Number.isNaN(value)) {
    return `${name} must be a number.`;
  }
  if (type === 'integer' && !Number.isInteger(value)) {
    return `${name} must be a whole number.`;
  }
  if (minimum !== undefined && value < minimum) {
    return `${name} must be at least ${minimum}.`;
  }
  return maximum !== undefined && value > maximum ? `${name} must be at most ${maximum}.` : undefined;
}
