/** What Linux says of a process. On another system nothing is known, and NaN stands for it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Fields of `stat` after the command's name, which may hold blanks. */
const UTIME = 11;
const STIME = 12;

function ticksPerSecond(): number {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  } catch {
    return Number.NaN;
  }
}

const TICK_MS = 1_000 / ticksPerSecond();

/** Processor time that it has used so far, in milliseconds, all threads together. */
export function cpuMs(pid: number): number {
  const stat = read(pid, 'stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME]) + Number(fields[STIME])) * TICK_MS;
}

/** Memory that it holds in RAM now, in megabytes of a million bytes. */
export function residentMb(pid: number): number {
  const kibibytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(read(pid, 'status'))?.[1] ?? Number.NaN);
  return (kibibytes * 1_024) / 1e6;
}
