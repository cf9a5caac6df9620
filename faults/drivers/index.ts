/** The drivers by name. */
import type { DriverName } from '../options.ts';
import type { Driver } from './driver.ts';
import { drover } from './drover.ts';

export async function driverOf(name: DriverName): Promise<Driver> {
  return name === 'drover' ? drover : (await import('./textbook.ts')).textbook;
}
