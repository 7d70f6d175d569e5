import { MAX_SLICES, type Slice, sliceText } from '../core/events/slice.ts';
import { BadValueError, type ValueType } from './value-types.ts';

/** `2/3`: the second of three parts of the stream. */
export const slice: ValueType<Slice> = {
  hint: 'I/N',
  parse(texts) {
    const [, index, of] = /^(\d{1,3})\/(\d{1,3})$/.exec((texts.at(-1) ?? '').trim()) ?? [];
    const value = { index: Number(index), of: Number(of) };
    if (!(value.of >= 1 && value.of <= MAX_SLICES && value.index >= 1 && value.index <= value.of)) {
      throw new BadValueError(`give the number of the slice and of all slices, e.g. 1/3, with at most ${MAX_SLICES}`);
    }
    return value;
  },
  show: sliceText,
};
