import { t } from '@grafana/i18n';
import { getTemplateSrv } from '@grafana/runtime';
import { Combobox, type ComboboxOption, InlineField, Input, MultiCombobox } from '@grafana/ui';
import React, { useCallback, useState, useId } from 'react';
import type { ChoiceKind, Choices } from '../choices';

/** Labels of one width stand in columns. */
export const LABEL_WIDTH = 16;
const FIELD_WIDTH = 30;

interface FieldProps {
  readonly label: string;
  readonly tooltip?: string;
}

/** A list of values; those that are known are offered, with the dashboard's variables, and any other may be typed. */
export function ListField({
  label,
  tooltip,
  value = [],
  onChange,
  choices,
  kind,
  placeholder,
}: FieldProps & {
  readonly value?: readonly string[];
  readonly onChange: (value: string[]) => void;
  readonly choices?: Choices;
  readonly kind?: ChoiceKind;
  readonly placeholder?: string;
}) {
  const options = useCallback(
    async (input: string) => {
      const known = kind === undefined || choices === undefined ? [] : await choices.of(kind).catch(() => []);
      return [...variableNames(), ...known]
        .filter((one) => one.toLowerCase().includes(input.toLowerCase()))
        .map(optionOf);
    },
    [choices, kind],
  );
  return (
    <InlineField label={label} tooltip={tooltip} labelWidth={LABEL_WIDTH}>
      <MultiCombobox
        id={useId()}
        width="auto"
        minWidth={FIELD_WIDTH}
        createCustomValue
        isClearable
        placeholder={placeholder ?? t('editor.any', 'Any')}
        options={options}
        value={value.map(optionOf)}
        onChange={(chosen) => onChange(chosen.map((one) => one.value))}
      />
    </InlineField>
  );
}

/** One value out of those that are known, or any that is typed. */
export function ChoiceField({
  label,
  tooltip,
  value,
  onChange,
  choices,
  kind,
}: FieldProps & {
  readonly value?: string;
  readonly onChange: (value: string) => void;
  readonly choices: Choices;
  readonly kind: ChoiceKind;
}) {
  const options = useCallback(
    async (input: string) =>
      [...variableNames(), ...(await choices.of(kind).catch(() => []))]
        .filter((one) => one.toLowerCase().includes(input.toLowerCase()))
        .map(optionOf),
    [choices, kind],
  );
  return (
    <InlineField label={label} tooltip={tooltip} labelWidth={LABEL_WIDTH}>
      <Combobox
        id={useId()}
        width={FIELD_WIDTH}
        createCustomValue
        options={options}
        value={value === undefined || value === '' ? null : optionOf(value)}
        onChange={(chosen) => onChange(chosen?.value ?? '')}
      />
    </InlineField>
  );
}

/** A text that takes effect when it is left or entered. */
export function TextField({
  label,
  tooltip,
  value = '',
  onChange,
  placeholder,
  width = FIELD_WIDTH,
  grow = false,
}: FieldProps & {
  readonly value?: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly width?: number;
  /** As wide as there is room */
  readonly grow?: boolean;
}) {
  return (
    <InlineField label={label} tooltip={tooltip} labelWidth={LABEL_WIDTH} grow={grow}>
      {/* A value that comes from elsewhere starts anew. */}
      <Draft key={value} {...{ label, value, onChange, placeholder, width: grow ? undefined : width }} />
    </InlineField>
  );
}

function Draft({
  label,
  value,
  onChange,
  placeholder,
  width,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly width: number | undefined;
}) {
  const [draft, setDraft] = useState(value);
  const commit = () => {
    if (draft !== value) {
      onChange(draft);
    }
  };
  return (
    <Input
      aria-label={label}
      width={width}
      value={draft}
      placeholder={placeholder}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') {
          commit();
        }
      }}
    />
  );
}

/** A whole number within bounds; empty for the default. */
export function CountField({
  value,
  onChange,
  most,
  usual,
  ...field
}: FieldProps & {
  readonly value?: number;
  readonly onChange: (value: number | undefined) => void;
  readonly most: number;
  readonly usual: number;
}) {
  return (
    <TextField
      {...field}
      width={12}
      placeholder={String(usual)}
      value={value === undefined ? '' : String(value)}
      onChange={(text) => {
        const count = Math.floor(Number(text));
        onChange(text.trim() === '' || !(count >= 1) ? undefined : Math.min(count, most));
      }}
    />
  );
}

const optionOf = (value: string): ComboboxOption => ({ value, label: value });
const variableNames = (): string[] =>
  getTemplateSrv()
    .getVariables()
    .map(({ name }) => `$${name}`);
