/** A data converter that lets nothing be read in Temporal: payloads in AES-GCM, failures as payloads. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const ENCRYPTED = 'binary/encrypted';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const textOf = (held: Uint8Array | null | undefined): string => Buffer.from(held ?? []).toString('utf8');

/** A payload as JSON: this repository does not depend on Temporal's protocol buffers. */
function pack({ metadata, data }: Payload): string {
  const held = Object.entries(metadata ?? {}).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64'),
  ]);
  return JSON.stringify({
    metadata: Object.fromEntries(held),
    data: Buffer.from(data ?? []).toString('base64'),
  });
}

function unpack(text: string): Payload {
  const { metadata, data } = JSON.parse(text) as { metadata: Record<string, string>; data: string };
  const held = Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const);
  return { metadata: Object.fromEntries(held), data: Buffer.from(data, 'base64') };
}

export interface EncryptingCodec extends PayloadCodec {
  /** How many payloads it has encrypted and decrypted. */
  readonly counts: { encoded: number; decoded: number };
}

/** @param key 32 bytes */
export function encryptingCodec(key: Buffer): EncryptingCodec {
  const counts = { encoded: 0, decoded: 0 };
  const encode = (payload: Payload): Payload => {
    counts.encoded += 1;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce);
    const hidden = Buffer.concat([cipher.update(pack(payload), 'utf8'), cipher.final()]);
    const data = Buffer.concat([nonce, cipher.getAuthTag(), hidden]);
    return { metadata: { encoding: bytes(ENCRYPTED) }, data };
  };
  const decode = (payload: Payload): Payload => {
    if (textOf(payload.metadata?.['encoding']) !== ENCRYPTED) return payload;
    counts.decoded += 1;
    const data = Buffer.from(payload.data ?? []);
    const decipher = createDecipheriv(CIPHER, key, data.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(data.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const shown = Buffer.concat([decipher.update(data.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    return unpack(shown.toString('utf8'));
  };
  return {
    counts,
    encode: (payloads) => Promise.resolve(payloads.map(encode)),
    decode: (payloads) => Promise.resolve(payloads.map(decode)),
  };
}

/** For a configuration's `dataConverter`. */
export function encryptingConverter(codec: PayloadCodec): DataConverter {
  return {
    payloadCodecs: [codec],
    failureConverterPath: fileURLToPath(new URL('./encrypting-failure-converter.ts', import.meta.url)),
  };
}
