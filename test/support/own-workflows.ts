/** Workflows of a service that runs Drover in its own worker. */
import { proxyActivities } from '@temporalio/workflow';

interface OwnActivities {
  greet(name: string): Promise<string>;
  anythingElse(text: string): Promise<string>;
  get_order(text: string): Promise<string>;
}

const activities = proxyActivities<OwnActivities>({
  startToCloseTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

export async function ownWorkflow(name: string): Promise<readonly string[]> {
  return [
    await activities.greet(name),
    await activities.anythingElse(name),
    // The name of a tool, called by a workflow that is no run: none of Drover's business.
    await activities.get_order(name),
  ];
}

/** Handles every workflow type that has no function of its own. */
// oxlint-disable-next-line import/no-default-export -- Temporal knows it by this name.
export default async function anyWorkflow(): Promise<string> {
  return 'by the default workflow';
}
