import { startAssistants } from '../support/backend-assistants-harness.ts';
import { describeBackend } from './suite.ts';

describeBackend('assistants', {
  start: startAssistants,
  skip: [
    { case: 'create_lost_reported', reason: 'findByKey: a lost create is found again' },
    { case: 'quirk_ignores_background', reason: 'this wire has no background mode: every run is one' },
  ],
});
