import { expect, test } from 'vitest';
import { ScriptError, startEmulator } from '../../src/emulator/index.ts';
import type { Script } from '../../src/emulator/index.ts';
import { openEmulator } from '../support/emulator-fixture.ts';
import type { Fixture } from '../support/emulator-fixture.ts';

async function admin(
  { emulator }: Fixture,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${emulator.adminUrl}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? null : (JSON.parse(text) as unknown) };
}

const answerOf = async ({ client }: Fixture, model: string): Promise<string> =>
  (await client.responses.create({ model, input: 'x' })).output_text;

test('a script can be set over HTTP and from code, and is played by the model of its name', async () => {
  const fixture = await openEmulator();
  expect(await answerOf(fixture, 'org/one')).toBe('Hello from the emulator.');
  const script: Script = { attempts: [{ steps: [{ answer: 'over HTTP' }] }] };
  expect((await admin(fixture, 'PUT', '/scripts/org%2Fone', script)).status).toBe(204);
  expect(await answerOf(fixture, 'org/one')).toBe('over HTTP');
  fixture.emulator.setScript('org/one', { attempts: [{ steps: [{ answer: 'from code' }] }] });
  expect(await answerOf(fixture, 'org/one')).toBe('from code');
});

test('a bad script is refused with all its mistakes, everywhere', async () => {
  const fixture = await openEmulator();
  const bad = { attempts: [{ steps: [{ dance: 1 }, { think_ms: 'x' }] }] } as unknown as Script;
  const refused = await admin(fixture, 'PUT', '/scripts/m', bad);
  expect(refused).toMatchObject({ status: 400, json: { error: { mistakes: { length: 2 } } } });
  expect(() => fixture.emulator.setScript('m', bad)).toThrow(ScriptError);
  await expect(startEmulator({ scripts: { m: bad } })).rejects.toThrow(ScriptError);
});

test('names of models that every object has are names like others', async () => {
  const fixture = await openEmulator();
  expect(await answerOf(fixture, 'constructor')).toBe('Hello from the emulator.');
  expect(await answerOf(fixture, '__proto__')).toBe('Hello from the emulator.');
});

test('faults can be added and cleared over HTTP, and a bad one is refused', async () => {
  const fixture = await openEmulator();
  expect((await admin(fixture, 'POST', '/faults', { match: {}, do: { status: 503 } })).status).toBe(204);
  expect((await fixture.request('POST', '/threads', {})).status).toBe(503);
  expect((await admin(fixture, 'DELETE', '/faults')).status).toBe(204);
  expect((await fixture.request('POST', '/threads', {})).status).toBe(200);
  expect(await admin(fixture, 'POST', '/faults', { match: {} })).toMatchObject({ status: 400 });
});

test('quirks can be set over HTTP, and an unknown one is refused', async () => {
  const fixture = await openEmulator();
  expect((await admin(fixture, 'PUT', '/quirks', ['bare_ids'])).status).toBe(204);
  expect((await fixture.request('POST', '/threads', {})).json['id']).toMatch(/^[0-9a-f]{32}$/);
  expect(await admin(fixture, 'PUT', '/quirks', ['bare_ids', 'odd'])).toMatchObject({
    status: 400,
    json: { error: { mistakes: ['unknown quirk odd'] } },
  });
});

test('the journal can be read over HTTP from where one left off', async () => {
  const fixture = await openEmulator();
  await fixture.request('POST', '/threads', {});
  const all = await admin(fixture, 'GET', '/journal');
  expect(all.json).toEqual({ entries: fixture.emulator.journal(), last: 2 });
  await fixture.request('POST', '/threads', {});
  const { json } = await admin(fixture, 'GET', '/journal?after=2');
  expect(json).toMatchObject({ entries: [{ seq: 3 }, { seq: 4 }], last: 4 });
});

test('the state shows what has not ended, also what no store keeps', async () => {
  const fixture = await openEmulator({ scripts: { m: { attempts: [{ steps: [{ hang: true }] }] } } });
  const leaving = new AbortController();
  const params = { model: 'm', input: 'x', store: false, metadata: { drover_run: 'r' } };
  const left = fixture.client.responses
    .create(params, { signal: leaving.signal })
    .catch((error: unknown) => error);
  const { seq } = await fixture.emulator.waitFor(
    (entry) => entry.kind === 'status' && entry.to === 'in_progress',
  );
  expect(seq).toBeGreaterThan(0);
  const { json } = await admin(fixture, 'GET', '/state');
  expect(json).toMatchObject({
    live: [
      { wire: 'responses', status: 'in_progress', model: 'm', metadata: { drover_run: 'r' }, attempt: 0 },
    ],
    scripts: ['m'],
    faults: [],
    quirks: [],
  });
  leaving.abort();
  expect(await left).toBeInstanceOf(Error);
  await fixture.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'cancelled');
  expect(fixture.emulator.liveRuns()).toEqual([]);
});

test('its front page says what it is', async () => {
  const { emulator } = await openEmulator();
  const page = await fetch(new URL('/', emulator.url));
  expect(await page.text()).toContain('embedded provider');
});

test('what its own endpoints are asked does not enter the journal', async () => {
  const fixture = await openEmulator();
  await admin(fixture, 'GET', '/state');
  expect(fixture.emulator.journal()).toEqual([]);
});
