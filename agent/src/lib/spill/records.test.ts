import { expect, it } from '@jest/globals';
import { RecordBlock, recordsIn } from './records.ts';

it('uses the same memory again where each time a little more than usual is written', () => {
  const block = new RecordBlock(1000);
  const buffers = Array.from({ length: 10 }, () => {
    while (block.length < 1000) block.add([Buffer.alloc(64)]);
    const { buffer } = block.bytes;
    block.clear();
    return buffer;
  });
  expect(new Set(buffers).size).toBe(1);
});

it('gives back what one large record took', () => {
  const block = new RecordBlock(1000);
  block.add([Buffer.alloc(5000)]);
  const large = block.bytes.buffer;
  block.clear();
  block.add([Buffer.from('small')]);
  expect(block.bytes.buffer).not.toBe(large);
  expect([...recordsIn(block.bytes)]).toEqual([{ from: 4, to: 9 }]);
});
