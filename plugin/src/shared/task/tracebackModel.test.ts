import { parseTraceback, type TracePart } from './tracebackModel';

const TRACEBACK = `Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
                 ^^^^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/site-packages/celery/app/trace.py", line 736, in __protected_call__
    return self.run(*args, **kwargs)
  File "/srv/app/tasks.py", line 12, in charge
    client.pay(amount)
  File "/usr/lib/python3.11/site-packages/payments/client.py", line 80, in pay
    raise Refused("no")
payments.Refused: no

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/tasks.py", line 14, in charge
    raise Failed() from error
app.Failed
`;

const outline = (parts: TracePart[]) =>
  parts.map((part) => {
    switch (part.kind) {
      case 'text':
        return part.text;
      case 'frame':
        return `${part.frame.function}:${part.frame.line}`;
      case 'folded':
        return `folded ${part.frames.length}`;
    }
  });

it('folds the calls inside libraries, but not the one that raised', () => {
  expect(outline(parseTraceback(TRACEBACK))).toEqual([
    'Traceback (most recent call last):',
    'folded 2',
    'charge:12',
    'pay:80',
    'payments.Refused: no\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):',
    'charge:14',
    'app.Failed',
  ]);
});

it('keeps the source lines and Python’s marks with their call', () => {
  const [, folded] = parseTraceback(TRACEBACK);
  expect(folded).toMatchObject({
    frames: [
      { library: true, source: ['R = retval = fun(*args, **kwargs)', '             ^^^^^^^^^^^^^^^^^^^^'] },
      { line: 736 },
    ],
  });
});

it.each(['', 'no traceback at all', '  File "cut'])('leaves %j as text', (text) => {
  expect(parseTraceback(text)).toEqual([{ kind: 'text', text: text.trimEnd() }]);
});
