/** Free TCP ports on this machine. */
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

const HOST = '127.0.0.1';

async function listen(port: number): Promise<Server> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: HOST, exclusive: true }, () => resolve(server));
  });
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve);
  });
}

/** Ports that nobody listens on at the moment; somebody else may take one before its user does. */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers: Server[] = [];
  try {
    // All are held at once, so that no two are the same.
    for (let index = 0; index < count; index += 1) servers.push(await listen(0));
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map(close));
  }
}

export async function isPortFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port));
    return true;
  } catch {
    return false;
  }
}

/** `wanted` where it is free, else any port that is. */
export async function preferPort(wanted: number): Promise<number> {
  if (await isPortFree(wanted)) return wanted;
  const [port] = await findFreePorts(1);
  if (port === undefined) throw new Error('No TCP port is free on this machine.');
  return port;
}
