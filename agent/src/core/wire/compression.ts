import { brotliDecompressSync, inflateSync } from 'node:zlib';
import { Decompress } from 'fzstd';
import Bunzip from 'seek-bzip';

/** Thrown by `decompress`; the message says what is wrong. */
export class CompressionError extends Error {}

/** Its reader is plain JavaScript, some 30 MB a second: all else waits while it works. */
const MAX_BZIP2_BYTES = 4 << 20;

type Decompressor = (data: Buffer, limit: number) => Buffer;

/** kombu/compression.py: content types and aliases. `application/x-gzip` is really a zlib stream (RFC 1950). */
const DECOMPRESSORS: ReadonlyMap<string, Decompressor> = new Map([
  ...named((data, limit) => inflateSync(data, { maxOutputLength: limit }), 'application/x-gzip', 'gzip', 'zlib'),
  ...named((data, limit) => brotliDecompressSync(data, { maxOutputLength: limit }), 'application/x-brotli', 'brotli'),
  ...named(zstd, 'application/zstd', 'zstd', 'zstandard'),
  ...named(bzip2, 'application/x-bz2', 'bzip2', 'bzip'),
]);

function named(decompressor: Decompressor, ...names: string[]): [string, Decompressor][] {
  return names.map((name) => [name, decompressor]);
}

/**
 * Undoes kombu's `compression` header. Throws CompressionError on an unknown name (lzma is one: there is no sound
 * synchronous reader for it), on broken data and on more than `limit` bytes of output, of bzip2 more than 4 MiB.
 */
export function decompress(data: Buffer, name: string, limit: number): Buffer {
  const decompressor = DECOMPRESSORS.get(name);
  if (decompressor === undefined) throw new CompressionError(`compression ${JSON.stringify(name)} is not read`);
  try {
    return decompressor(data, limit);
  } catch (error) {
    throw new CompressionError(`broken ${name} data: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function zstd(data: Buffer, limit: number): Buffer {
  const window = zstdWindow(data);
  if (window > limit) throw new RangeError(`a window of ${window} bytes, more than ${limit}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stream = new Decompress((chunk) => {
    size += chunk.length;
    if (size > limit) throw new RangeError(`larger than ${limit} bytes`);
    // The library reuses what it hands out.
    chunks.push(chunk.slice());
  });
  stream.push(data, true);
  return Buffer.concat(chunks);
}

/** Bytes that the decoder would allocate for the frame's window (RFC 8878, 3.1.1.1.2); 0 for a frame without one. */
function zstdWindow(data: Buffer): number {
  const descriptor = data[4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  if (singleSegment) return 0;
  const window = data[5] ?? 0;
  const base = 2 ** (10 + (window >> 3));
  return base + (base / 8) * (window & 7);
}

function bzip2(data: Buffer, most: number): Buffer {
  const limit = Math.min(most, MAX_BZIP2_BYTES);
  let output = Buffer.allocUnsafe(Math.min(limit, Math.max(1024, data.length * 4)));
  let size = 0;
  const writer = {
    writeByte(byte: number): void {
      if (size === output.length) {
        if (size >= limit) throw new RangeError(`larger than ${limit} bytes`);
        const larger = Buffer.allocUnsafe(Math.min(limit, size * 2));
        output.copy(larger);
        output = larger;
      }
      output[size++] = byte;
    },
  };
  Bunzip.decode(data, writer);
  return output.subarray(0, size);
}
