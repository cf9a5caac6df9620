/** The backend whose waits expect webhooks: what its worker, its receiver and its provider have to agree on. */
export const PUSHED = 'pushed';
export const WEBHOOK_SECRET = `whsec_${Buffer.from('of the bench').toString('base64')}`;
/** Variable of the worker's environment: the address of this backend's provider. */
export const PUSHED_URL = 'BENCH_PUSHED_URL';
