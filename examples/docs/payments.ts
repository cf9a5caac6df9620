/** Stands for whatever system your tool acts on. */
interface Refund {
  readonly order_id: string;
  readonly cents: number;
  readonly idempotencyKey: string;
}

const made = new Map<string, { readonly refund_id: string }>();

export const payments = {
  refund: async ({ idempotencyKey }: Refund): Promise<{ readonly refund_id: string }> => {
    const refund = { refund_id: `re_${made.size + 1}` };
    made.set(idempotencyKey, refund);
    return await Promise.resolve(refund);
  },
  find: (idempotencyKey: string): { readonly refund_id: string } | undefined => made.get(idempotencyKey),
};
