import { runPython } from '../../../test/support/python.ts';

/** Ids of the tasks that `storedByWorker` let a worker run. */
export interface StoredIds {
  readonly add: string;
  readonly fail: string;
  readonly odd: string;
}

export interface WorkerOptions {
  readonly backend: string;
  readonly serializer: 'json' | 'pickle' | 'msgpack' | 'yaml';
  readonly extended?: boolean;
  readonly compression?: string;
  readonly keyPrefix?: string;
}

/** Runs three tasks in a real Celery worker (of one thread, without a broker) that stores their results. */
export async function storedByWorker(options: WorkerOptions): Promise<StoredIds> {
  const { backend, serializer, extended = true, compression, keyPrefix } = options;
  const settings = {
    backend,
    serializer,
    extended,
    compression: compression ?? '',
    prefix: keyPrefix ?? '',
  };
  const script = `
import json, sys
from celery import Celery
from celery.contrib.testing.worker import start_worker
given = json.load(sys.stdin)
app = Celery('kept', broker='memory://', backend=given['backend'])
app.conf.update(result_serializer=given['serializer'], result_extended=given['extended'], task_serializer='json',
    accept_content=['json', 'pickle', 'msgpack', 'yaml'], worker_hijack_root_logger=False)
if given['compression']: app.conf.result_compression = given['compression']
if given['prefix']: app.conf.result_backend_transport_options = {'global_keyprefix': given['prefix']}
class Odd:
    def __init__(self): self.x = 1
@app.task(name='kept.add')
def add(x, y, **kw): return {'sum': x + y, 'text': 'ünï'}
@app.task(name='kept.fail')
def fail(message): raise ValueError(message, 7)
@app.task(name='kept.odd')
def odd(): return {1, 2} if given['serializer'] == 'pickle' else None
with start_worker(app, pool='solo', perform_ping_check=False, loglevel='ERROR'):
    results = {'add': add.s(2**53, 10**15, big=2**40).apply_async(group_id='g1'), 'fail': fail.delay('boom'), 'odd': odd.delay()}
    for result in results.values(): result.get(timeout=20, propagate=False)
print(json.dumps({name: result.id for name, result in results.items()}))`;
  return JSON.parse(await runPython(script, JSON.stringify(settings))) as StoredIds;
}
