/** What the nemesis did, written down by itself: kills, stops, restarts. */

/** Where a kill is meant to fall. What it hit is found in the journals afterwards. */
export const WINDOWS = ['create', 'effect', 'submit', 'wait', 'workflow_task', 'continue_as_new'] as const;
export type KillWindow = (typeof WINDOWS)[number];

export type NemesisEntry = { readonly at: number } & (
  | { readonly kind: 'worker_killed'; readonly pid: number; readonly aimed: KillWindow | null }
  | { readonly kind: 'worker_stopped'; readonly pid: number }
  | { readonly kind: 'worker_resumed'; readonly pid: number }
  | { readonly kind: 'worker_terminated'; readonly pid: number }
  | { readonly kind: 'server_killed' }
  | { readonly kind: 'server_back' }
  | {
      readonly kind: 'activity_paused' | 'activity_unpaused' | 'activity_reset';
      readonly run: string;
      readonly activity: string;
      readonly type: string;
    }
);

type Untimed<T> = T extends NemesisEntry ? Omit<T, 'at'> : never;
export type NemesisDeed = Untimed<NemesisEntry>;
