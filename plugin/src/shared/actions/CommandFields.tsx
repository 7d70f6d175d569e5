import { Combobox, Field, Input, Switch } from '@grafana/ui';
import React from 'react';
import { type CommandParameter, fieldKind, type FieldProblem, type FieldTexts, schemaOf } from './commandModel';

export interface CommandFieldsProps {
  readonly parameters: readonly CommandParameter[];
  readonly texts: FieldTexts;
  readonly problems: readonly FieldProblem[];
  readonly onChange: (texts: FieldTexts) => void;
}

/** The arguments of a command, as `/api/v1/commands` describes them. */
export function CommandFields({ parameters, texts, problems, onChange }: CommandFieldsProps) {
  return (
    <>
      {parameters.map((parameter) => {
        const { name, required, doc } = parameter;
        const problem = problems.find(({ field }) => field === name)?.message;
        return (
          <Field
            key={name}
            label={labelOf(name)}
            description={doc}
            required={required}
            invalid={problem !== undefined}
            error={problem}
            htmlFor={`command-${name}`}
          >
            <FieldInput
              parameter={parameter}
              value={texts[name] ?? ''}
              onChange={(text) => onChange({ ...texts, [name]: text })}
            />
          </Field>
        );
      })}
    </>
  );
}

interface FieldInputProps {
  readonly parameter: CommandParameter;
  readonly value: string;
  readonly onChange: (text: string) => void;
}

function FieldInput({ parameter, value, onChange }: FieldInputProps) {
  const id = `command-${parameter.name}`;
  const { enum: choices = [], minimum, maximum } = schemaOf(parameter);
  switch (fieldKind(parameter)) {
    case 'choice':
      return (
        <Combobox
          id={id}
          options={choices.map((choice) => ({ value: String(choice) }))}
          value={value}
          onChange={(option) => onChange(option.value)}
        />
      );
    case 'boolean':
      return (
        <Switch id={id} value={value === 'true'} onChange={(event) => onChange(String(event.currentTarget.checked))} />
      );
    case 'number':
      return (
        <Input
          id={id}
          type="number"
          min={minimum}
          max={maximum}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'text':
      return <Input id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
  }
}

/** `exchange_type` → `Exchange type` */
function labelOf(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
