import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

const { Payload: Message } = proto.temporal.api.common.v1;
const ENCODING = 'binary/encrypted';

/** Encrypts each payload as a whole with AES-256-GCM. `key` has 32 bytes. */
export class EncryptionCodec implements PayloadCodec {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map((payload) => this.#encrypt(payload)));
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map((payload) => this.#decrypt(payload)));
  }

  #encrypt(payload: Payload): Payload {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    const data = Buffer.concat([cipher.update(Message.encode(payload).finish()), cipher.final()]);
    return {
      metadata: { encoding: Buffer.from(ENCODING) },
      data: Buffer.concat([iv, cipher.getAuthTag(), data]),
    };
  }

  #decrypt(payload: Payload): Payload {
    const { metadata, data } = payload;
    if (Buffer.from(metadata?.['encoding'] ?? []).toString() !== ENCODING || !data) return payload;
    const bytes = Buffer.from(data);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Message.decode(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]));
  }
}
