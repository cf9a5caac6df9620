/** A server that does not take the caller's credentials is not one that cannot be reached. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { reportError } from '../../src/cli/fail.ts';
import { examine } from '../../src/doctor.ts';
import type { Finding } from '../../src/doctor.ts';
import { startGrpcStatusServer } from '../support/grpc-status-server.ts';
import type { GrpcStatusServer } from '../support/grpc-status-server.ts';
import { captureOutput, runCli } from '../support/run-cli.ts';

let server: GrpcStatusServer;
beforeAll(async () => {
  server = await startGrpcStatusServer();
});
beforeEach(() => {
  vi.stubEnv('TEMPORAL_ADDRESS', server.address);
  vi.stubEnv('TEMPORAL_NAMESPACE', 'default');
  return () => vi.unstubAllEnvs();
});
afterAll(() => server.close());

const REFUSED = /refused the credentials: Request unauthorized\..*Check TEMPORAL_API_KEY/;

describe.each(['7', '16'])('a connection refused by code %s', (status) => {
  beforeEach(() => server.answer(status, 'Request unauthorized.'));

  test.each([[['list']], [['show', 'x']], [['run', 'a', 'b']], [['waiting']]])(
    'is told so by %j',
    async (args) => {
      const { code, told } = await runCli(args);
      expect(code).toBe(3);
      expect(told).toMatch(REFUSED);
      expect(told).not.toMatch(/reached|TEMPORAL_ADDRESS/);
    },
  );

  test('is told so by the doctor', async () => {
    const found: Finding[] = [];
    for await (const one of examine()) found.push(one);
    const temporal = found.find(({ name }) => name === 'temporal');
    expect(temporal?.state).toBe('fail');
    expect(`${temporal?.message} ${temporal?.action}`).toMatch(REFUSED);
  });
});

test('a call that is refused once the connection is there is told so too', () => {
  const refused = Object.assign(new Error('7 PERMISSION_DENIED: Request unauthorized.'), {
    code: 7,
    details: 'Request unauthorized.',
  });
  const { output, lines } = captureOutput();
  expect(reportError(refused, output, false)).toBe(3);
  expect(lines.join('\n')).toMatch(/refused the credentials.*Check TEMPORAL_API_KEY/);
  expect(lines.join('\n')).not.toContain('TEMPORAL_ADDRESS');
});
