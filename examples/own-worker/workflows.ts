/** Workflows of one's own: a run is a child workflow, with everything that Temporal gives around it. */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import { executeRun, isRunEndedError } from '../../src/workflow.ts';
import type { createActivities } from './activities.ts';

const { saveAnswer } = proxyActivities<ReturnType<typeof createActivities>>({
  startToCloseTimeout: '10 seconds',
});

export interface Ticket {
  readonly number: string;
  readonly text: string;
  readonly assistant?: string;
}

/** Answers a ticket, or hands it to a person where the run did not end well. */
export async function handleTicket(ticket: Ticket): Promise<string> {
  try {
    const { output_text } = await executeRun(
      { assistant_id: ticket.assistant ?? 'support', input: ticket.text, context: { tenant_id: 'acme' } },
      { id: `${workflowInfo().workflowId}-run`, taskQueue: workflowInfo().taskQueue },
    );
    return await saveAnswer(ticket.number, output_text);
  } catch (error) {
    if (!isRunEndedError(error)) throw error;
    return await saveAnswer(ticket.number, `A person has to look at this: ${error.code}.`);
  }
}
