/** One call of a Python traceback. */
export interface TraceFrame {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  /** The code of the line, and what Python marks in it */
  readonly source: readonly string[];
  /** Not the app's own code: Python's library, an installed package */
  readonly library: boolean;
}

export type TracePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'frame'; readonly frame: TraceFrame }
  /** Frames of libraries in a row, shown on demand */
  | { readonly kind: 'folded'; readonly frames: readonly TraceFrame[] };

const FRAME = /^ {2}File "(.*)", line (\d+)(?:, in (.*))?$/;
const LIBRARY = /[\\/](?:site-packages|dist-packages|lib[\\/]python\d[\d.]*)[\\/]|^<frozen /;

/**
 * A Python traceback as parts: the app's own calls apart from those inside libraries, which are mostly noise. The last
 * call before an exception stays in sight in any case: it is where it was raised. Text that is no traceback stays text.
 */
export function parseTraceback(traceback: string): TracePart[] {
  const parts: TracePart[] = [];
  let frames: TraceFrame[] = [];
  let text: string[] = [];
  const endText = () => {
    if (text.length > 0) {
      parts.push({ kind: 'text', text: text.join('\n') });
      text = [];
    }
  };
  const endFrames = () => {
    parts.push(...foldFrames(frames));
    frames = [];
  };
  for (const line of traceback.replace(/\s+$/, '').split('\n')) {
    const found = FRAME.exec(line);
    const last = frames.at(-1);
    if (found !== null) {
      endText();
      const [, file = '', number = '0', name = ''] = found;
      frames.push({ file, line: Number(number), function: name, source: [], library: LIBRARY.test(file) });
    } else if (last !== undefined && line.startsWith('    ')) {
      frames[frames.length - 1] = { ...last, source: [...last.source, line.slice(4)] };
    } else {
      endFrames();
      text.push(line);
    }
  }
  endFrames();
  endText();
  return parts;
}

function foldFrames(frames: readonly TraceFrame[]): TracePart[] {
  const parts: TracePart[] = [];
  frames.forEach((frame, index) => {
    const before = parts.at(-1);
    if (!frame.library || index === frames.length - 1) {
      parts.push({ kind: 'frame', frame });
    } else if (before?.kind === 'folded') {
      parts[parts.length - 1] = { kind: 'folded', frames: [...before.frames, frame] };
    } else {
      parts.push({ kind: 'folded', frames: [frame] });
    }
  });
  return parts;
}
