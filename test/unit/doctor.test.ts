import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { examine } from '../../src/doctor.ts';
import type { Finding } from '../../src/doctor.ts';
import { startGrpcStatusServer } from '../support/grpc-status-server.ts';
import type { GrpcStatusServer } from '../support/grpc-status-server.ts';

const UNAUTHENTICATED = '16';

let server: GrpcStatusServer;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-doctor-'));
  server = await startGrpcStatusServer();
  server.answer(UNAUTHENTICATED);
});
beforeEach(() => {
  vi.stubEnv('TEMPORAL_ADDRESS', server.address);
  return () => vi.unstubAllEnvs();
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

test('a wrong variable is told, and the others are heeded', async () => {
  vi.stubEnv('DROVER_LOG_LEVEL', 'loud');
  const path = join(folder, 'drover.config.mjs');
  await writeFile(path, 'export default { backends: 1 };');
  vi.stubEnv('DROVER_CONFIG', path);
  const found: Finding[] = [];
  for await (const one of examine()) found.push(one);
  expect(found.find(({ name }) => name === 'environment')).toMatchObject({
    state: 'fail',
    message: expect.stringContaining('DROVER_LOG_LEVEL'),
  });
  expect(found.find(({ name }) => name === 'configuration')).toMatchObject({
    message: expect.stringContaining('backends'),
  });
});
