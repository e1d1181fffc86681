/** Messages on a stream of bytes: a length of four bytes, little-endian, before each. */

/** A message with its length before it. */
export function framed(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + message.length);
  new DataView(bytes.buffer).setUint32(0, message.length, true);
  bytes.set(message, 4);
  return bytes;
}

/** Finds the messages again, however the bytes were cut. */
export class Deframer {
  #rest = new Uint8Array();

  /** `messageBytesMax`: a length beyond it is a broken stream. */
  constructor(private readonly messageBytesMax: number) {}

  /** The messages that are whole now; throws a `RangeError` when a length cannot be. */
  push(bytes: Uint8Array): Uint8Array[] {
    let all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const messages: Uint8Array[] = [];
    while (all.length >= 4) {
      const length = new DataView(all.buffer, all.byteOffset).getUint32(0, true);
      if (length === 0 || length > this.messageBytesMax) throw new RangeError(`a message of ${length} bytes`);
      if (all.length < 4 + length) break;
      messages.push(all.slice(4, 4 + length));
      all = all.subarray(4 + length);
    }
    this.#rest = all.slice();
    return messages;
  }
}
