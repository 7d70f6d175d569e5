declare module 'seek-bzip' {
  const Bunzip: {
    /** Writes the decoded bytes one by one; throws on broken data. */
    decode(input: Uint8Array, output: { writeByte(byte: number): void }): void;
  };
  // eslint-disable-next-line no-restricted-syntax -- a CommonJS module has no other
  export default Bunzip;
}
