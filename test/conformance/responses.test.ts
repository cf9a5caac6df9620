import { startResponses } from '../support/backend-responses-harness.ts';
import { describeBackend } from './suite.ts';
import type { Skip } from './suite.ts';

const noList = 'findByKey is false: this wire has no list of responses, a lost create is reported';
const noExpiry = 'nothing expires on this wire: time limits are the caller’s own';
const SKIPS: readonly Skip[] = [
  { case: 'create_twice', reason: noList },
  { case: 'create_twice_after_end', reason: noList },
  { case: 'create_lost_reset', reason: noList },
  { case: 'create_lost_html', reason: noList },
  { case: 'create_lost_empty', reason: noList },
  { case: 'create_lost_truncated', reason: noList },
  { case: 'create_lost_500', reason: noList },
  { case: 'create_active_ours', reason: noList },
  { case: 'create_twins', reason: noList },
  { case: 'create_active_run', reason: 'a busy conversation does not name who works there' },
  { case: 'create_unknown_assistant', reason: 'ownAssistants is false: this wire knows no assistants' },
  { case: 'input_once', reason: 'its second attempt expires; see responses-conversation.test.ts' },
  { case: 'input_once_after_loss', reason: `${noList}; see responses-conversation.test.ts` },
  { case: 'submit_lost_reset', reason: noList },
  { case: 'submit_lost_html', reason: noList },
  { case: 'submit_lost_empty', reason: noList },
  { case: 'submit_lost_truncated', reason: noList },
  { case: 'submit_lost_other_id', reason: 'a new response has no id that could be expected' },
  { case: 'submit_twice', reason: 'each submit is a new response: only a suspect one is looked for' },
  { case: 'submit_expired', reason: noExpiry },
  { case: 'ends_expired', reason: noExpiry },
  { case: 'cancel_expired', reason: noExpiry },
];

describeBackend('responses, as a chain', {
  start: (setup) => startResponses(setup),
  skip: [
    ...SKIPS,
    { case: 'submit_suspect_landed', reason: 'a chain cannot be asked; the caller marks it ambiguous' },
    { case: 'submit_suspect_next_round', reason: 'a chain cannot be asked; the caller marks it ambiguous' },
  ],
});

describeBackend('responses, in a conversation', {
  start: (setup) => startResponses(setup, { conversation: true }),
  skip: [
    ...SKIPS,
    {
      case: 'submit_suspect_landed',
      reason: 'until it has ended, the conversation is busy; see responses-conversation.test.ts',
    },
  ],
});
