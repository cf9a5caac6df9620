import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findFreePorts, isPortFree, preferPort } from '../../src/dev/ports.ts';

const TETHER = fileURLToPath(new URL('../../src/dev/tether.ts', import.meta.url));
/** Outlives every test, and heeds SIGTERM. */
const FOREVER = 'setInterval(() => {}, 1000)';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function firstLine(stream: NodeJS.ReadableStream | null): Promise<string> {
  if (stream === null) throw new Error('There is no such stream.');
  const [data] = (await once(stream, 'data')) as [Buffer];
  return String(data).trim();
}

describe('tether', () => {
  test('ends its command when the process that started it is killed', async () => {
    const starter = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, [${JSON.stringify(TETHER)}, process.execPath, '-e', ${JSON.stringify(FOREVER)}],
        { stdio: ['pipe', 'inherit', 'inherit'], detached: true });
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', starter], { stdio: ['ignore', 'pipe', 'ignore'] });
    const pid = Number(await firstLine(parent.stdout));
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    // The pipe closes when the last process that holds it, the tether, has ended: after its command.
    await once(parent, 'close');
    expect(isAlive(pid)).toBe(false);
  });

  test('ends its command when its input closes, and with its exit code', async () => {
    const code = `process.on('SIGTERM', () => process.exit(7)); ${FOREVER}; console.error('up')`;
    const tether = spawn(process.execPath, [TETHER, process.execPath, '-e', code], { stdio: 'pipe' });
    const pid = Number(await firstLine(tether.stdout));
    expect(await firstLine(tether.stderr)).toBe('up');
    tether.stdin.end();
    const [exit] = (await once(tether, 'close')) as [number];
    expect(exit).toBe(7);
    expect(isAlive(pid)).toBe(false);
  });

  test('says so where there is no such command', async () => {
    const tether = spawn(process.execPath, [TETHER, '/no/such/command'], { stdio: 'pipe' });
    const [[code], line] = await Promise.all([once(tether, 'close'), firstLine(tether.stderr)]);
    expect(code).toBe(127);
    expect(line).toContain('ENOENT');
  });
});

describe('ports', () => {
  test('finds as many as were asked for, no two the same', async () => {
    const ports = await findFreePorts(5);
    expect(new Set(ports).size).toBe(5);
  });

  test('takes another port where the wanted one is taken', async () => {
    const [wanted = 0] = await findFreePorts(1);
    expect(await preferPort(wanted)).toBe(wanted);
    const server = spawn(process.execPath, [
      '-e',
      `require('node:net').createServer().listen(${wanted}, '127.0.0.1', () => console.log('up'))`,
    ]);
    try {
      await firstLine(server.stdout);
      expect(await isPortFree(wanted)).toBe(false);
      expect(await preferPort(wanted)).not.toBe(wanted);
    } finally {
      server.kill('SIGKILL');
    }
  });
});
