import { describe, expect, test } from 'vitest';
import { createLogger } from '../../src/logger.ts';
import { toTemporalLogger } from '../../src/logging.ts';
import { redactFields } from '../../src/log-redaction.ts';

function capture() {
  const lines: string[] = [];
  return {
    lines,
    destination: { write: (line: string) => void lines.push(line) },
    events: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('createLogger', () => {
  test('writes one JSON object a line, with the fields beside a constant message', () => {
    const out = capture();
    const logger = createLogger({ format: 'json', destination: out.destination });
    logger.info({ runId: 'run-1', attempt: 2 }, 'run started');
    logger.warn('slow');
    expect(out.lines.every((line) => line.endsWith('\n') && line.trim().split('\n').length === 1)).toBe(true);
    expect(out.events()).toMatchObject([
      { level: 'info', runId: 'run-1', attempt: 2, msg: 'run started' },
      { level: 'warn', msg: 'slow' },
    ]);
    expect(out.events()[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  test('keeps below its level to itself', () => {
    const out = capture();
    const logger = createLogger({ level: 'error', format: 'json', destination: out.destination });
    logger.warn('not this');
    logger.error('but this');
    expect(out.events()).toMatchObject([{ msg: 'but this' }]);
  });

  test('writes one line an event for people, too', () => {
    const out = capture();
    createLogger({ format: 'pretty', destination: out.destination }).info({ runId: 'run-1' }, 'run started');
    expect(out.lines.join('')).toMatch(/^\[[\d:.]+\] INFO: run started \{"runId":"run-1"\}\n$/);
  });

  test('masks secrets by the name of their field, at every depth and in child loggers', () => {
    const out = capture();
    const logger = createLogger({ format: 'json', destination: out.destination });
    const secret = 'hidden-value';
    logger.child({ api_key: secret }).info(
      {
        apiKey: secret,
        options: { headers: { Authorization: secret, 'x-api-key': secret }, list: [{ password: secret }] },
        a: { b: { c: { d: { client_secret: secret } } } },
        env: { secrets: { MCP: secret } },
        tokens: 12,
      },
      'configured',
    );
    expect(out.lines.join('')).not.toContain(secret);
    expect(out.events()[0]).toMatchObject({ apiKey: '[redacted]', tokens: 12 });
  });

  test.each([
    'sk-proj-0123456789abcdef',
    'Bearer abcdefgh12345678',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
    'https://user:hunter22@host/path',
  ])('masks what has the shape of a secret in messages, fields and errors: %s', (secret) => {
    for (const format of ['json', 'pretty'] as const) {
      const out = capture();
      const logger = createLogger({ format, destination: out.destination });
      const cause = new Error(`told ${secret}`);
      logger.error(
        { err: new Error(`refused ${secret}`, { cause }), note: `it was ${secret}` },
        `got ${secret}`,
      );
      const token = /[\w-]{8,}$|hunter22/.exec(secret)?.[0] ?? secret;
      expect(out.lines.join('')).toContain('[redacted]');
      expect(out.lines.join('')).not.toContain(secret);
      expect(secret.includes('://') ? out.lines.join('') : '').not.toContain(token);
    }
  });

  test('writes errors with type, message, stack and cause, and without their details', () => {
    const out = capture();
    const error = Object.assign(new TypeError('outer', { cause: new Error('inner') }), {
      code: 'E_X',
      details: [{ output: 'of a tool' }],
    });
    createLogger({ format: 'json', destination: out.destination }).error({ err: error }, 'failed');
    expect(out.events()[0]?.['err']).toMatchObject({
      type: 'TypeError',
      message: 'outer',
      code: 'E_X',
      stack: expect.stringContaining('TypeError: outer') as string,
      cause: { message: 'inner' },
    });
    expect(out.lines.join('')).not.toContain('of a tool');
  });
});

describe('redactFields', () => {
  test('shows of foreign objects their class alone', () => {
    class KeyRing {
      readonly current = 'hidden-value';
    }
    expect(redactFields({ codec: new KeyRing(), bytes: Buffer.from('hidden-value'), fn: () => 1 })).toEqual({
      codec: '[KeyRing]',
      bytes: '[Buffer]',
    });
  });

  test('ends on cycles, depth and length', () => {
    const loop: Record<string, unknown> = { name: 'loop' };
    loop['self'] = loop;
    let deep: Record<string, unknown> = {};
    for (let depth = 0; depth < 50; depth += 1) deep = { deep };
    const shown = JSON.stringify(
      redactFields({ loop, deep, list: Array.from({ length: 60 }, () => 1), big: 1n }),
    );
    expect(shown).toContain('[circular]');
    expect(shown).toContain('[deep]');
    expect(shown).toContain('[10 more]');
    expect(shown).toContain('"big":"1"');
  });
});

describe('toTemporalLogger', () => {
  test('gives every level to pino, the error as err', () => {
    const out = capture();
    const logger = toTemporalLogger(
      createLogger({ level: 'trace', format: 'json', destination: out.destination }),
    );
    logger.trace('one', { sdkComponent: 'core' });
    logger.debug('two');
    logger.info('three');
    logger.warn('four');
    logger.error('five', { error: new Error('broken'), workflowId: 'run-1' });
    logger.log('WARN', 'six');
    logger.info("a bundler's report\nof many lines");
    expect(out.events()).toMatchObject([
      { level: 'trace', msg: 'one', sdkComponent: 'core' },
      { level: 'debug', msg: 'two' },
      { level: 'info', msg: 'three' },
      { level: 'warn', msg: 'four' },
      { level: 'error', msg: 'five', workflowId: 'run-1', err: { message: 'broken' } },
      { level: 'warn', msg: 'six' },
      { level: 'debug', msg: "a bundler's report\nof many lines" },
    ]);
  });
});
