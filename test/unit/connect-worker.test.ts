/** What a worker's connection asks of the network. */
import { NativeConnection } from '@temporalio/worker';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compressionFor, connectWorker } from '../../src/connect-worker.ts';
import type { ConnectionSettings } from '../../src/connection.ts';
import { startGrpcStatusServer } from '../support/grpc-status-server.ts';
import type { GrpcStatusServer } from '../support/grpc-status-server.ts';

const PERMISSION_DENIED = '7';
const UNAVAILABLE = '14';
const UNAUTHENTICATED = '16';
let server: GrpcStatusServer;
let settings: ConnectionSettings;

beforeAll(async () => {
  server = await startGrpcStatusServer();
  server.answer(PERMISSION_DENIED);
  const { address } = server;
  settings = { address, namespace: 'default', options: { address } };
});

beforeEach(() => {
  server.seen.length = 0;
});

afterAll(() => {
  server.close();
});

const encodings = (): readonly unknown[] => server.seen.map((headers) => headers['grpc-encoding']);

const connect = () =>
  connectWorker(settings, {
    seconds: 0,
    logger: pino({ level: 'silent' }),
    signal: new AbortController().signal,
  });

describe('a connection that the server refuses at its first call', () => {
  test.each([
    [PERMISSION_DENIED, 'refused the credentials'],
    [UNAUTHENTICATED, 'refused the credentials'],
    [UNAVAILABLE, 'could not be reached'],
  ])('is told by its code: %s', async (code, words) => {
    server.answer(code);
    await expect(connect()).rejects.toThrow(words);
  });
});

describe('a connection without TLS', () => {
  test('is not compressed', async () => {
    await expect(connect()).rejects.toThrow('Temporal at');
    expect(encodings()).toEqual([undefined]);
  });

  test("would be by the SDK's own default", async () => {
    await expect(NativeConnection.connect(settings.options)).rejects.toThrow('GetSystemInfo');
    expect(encodings()).toEqual(['gzip']);
  });
});

describe('compression', () => {
  const address = 'cloud.example:7233';

  test('is left to the SDK where the connection is encrypted', () => {
    expect(compressionFor({ address, tls: true })).toEqual({});
    expect(compressionFor({ address, tls: {} })).toEqual({});
    expect(compressionFor({ address, apiKey: 'key' })).toEqual({});
  });

  test('is off where it is not', () => {
    const off = { grpcCompression: { codec: 'none' } };
    expect(compressionFor({ address })).toEqual(off);
    expect(compressionFor({ address, tls: false })).toEqual(off);
    expect(compressionFor({ address, tls: null })).toEqual(off);
  });
});
