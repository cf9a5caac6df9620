import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConnectionSettings } from '../../src/connection.ts';

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-connection-'));
  file = join(folder, 'temporal.toml');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('readConnectionSettings', () => {
  test('is the local server where nothing is said', () => {
    const settings = readConnectionSettings({ env: { TEMPORAL_CONFIG_FILE: file } });
    expect(settings).toEqual({
      address: '127.0.0.1:7233',
      namespace: 'default',
      options: { address: '127.0.0.1:7233' },
    });
  });

  test('reads a profile, and lets the environment win over it', async () => {
    await writeFile(
      file,
      '[profile.prod]\naddress = "prod:7233"\nnamespace = "runs"\napi_key = "key-of-prod"\n',
    );
    const env = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_NAMESPACE: 'other' };
    const settings = readConnectionSettings({ env, profile: 'prod' });
    expect(settings).toMatchObject({ address: 'prod:7233', namespace: 'other' });
    expect(settings.options).toMatchObject({ apiKey: 'key-of-prod', tls: true });
  });

  test('takes an empty variable for an unset one', async () => {
    await writeFile(file, '[profile.default]\naddress = "prod:7233"\nnamespace = "runs"\n');
    const empty = Object.fromEntries(
      [
        'ADDRESS',
        'NAMESPACE',
        'API_KEY',
        'TLS',
        'TLS_CLIENT_CERT_PATH',
        'TLS_CLIENT_KEY_PATH',
        'PROFILE',
      ].map((name) => [`TEMPORAL_${name}`, '']),
    );
    expect(readConnectionSettings({ env: { ...empty, TEMPORAL_CONFIG_FILE: file } })).toEqual(
      readConnectionSettings({ env: { TEMPORAL_CONFIG_FILE: file } }),
    );
  });

  test('reads the profile that the environment names', async () => {
    await writeFile(file, '[profile.prod]\naddress = "prod:7233"\n');
    const env = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' };
    expect(readConnectionSettings({ env }).address).toBe('prod:7233');
  });

  test('reads client certificates', async () => {
    const certificate = join(folder, 'client.pem');
    const key = join(folder, 'client.key');
    await writeFile(certificate, 'certificate');
    await writeFile(key, 'key');
    const { options } = readConnectionSettings({
      env: {
        TEMPORAL_CONFIG_FILE: file,
        TEMPORAL_TLS: 'true',
        TEMPORAL_TLS_CLIENT_CERT_PATH: certificate,
        TEMPORAL_TLS_CLIENT_KEY_PATH: key,
      },
    });
    expect(options.tls).toMatchObject({ clientCertPair: { crt: new TextEncoder().encode('certificate') } });
  });

  test('says which profile is missing', async () => {
    await writeFile(file, '[profile.prod]\naddress = "prod:7233"\n');
    const read = (): void =>
      void readConnectionSettings({ env: { TEMPORAL_CONFIG_FILE: file }, profile: 'gone' });
    expect(read).toThrow(/connection profile has one mistake[^]*gone/);
  });

  test('quotes no line of a file that it cannot parse', async () => {
    await writeFile(file, '[profile.default]\napi_key = "key-of-prod" oops\n');
    const read = (): void => void readConnectionSettings({ env: { TEMPORAL_CONFIG_FILE: file } });
    expect(read).toThrow(/TEMPORAL_CONFIG_FILE/);
    expect(read).not.toThrow(/key-of-prod/);
  });
});
