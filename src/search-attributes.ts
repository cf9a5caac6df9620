/** The search attributes of a run: names, kinds and typed keys. Pure: workflow code loads it. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

// Inferred types would name a path inside the SDK that its package does not offer.
type Keyword = ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>>;

/** By the property that a run is known by. Six Keywords of the ten that a namespace on SQL has. */
export const SEARCH_ATTRIBUTES: Readonly<
  Record<'status' | 'threadId' | 'assistantId' | 'backend' | 'attemptId' | 'waiting', Keyword>
> = {
  status: defineSearchAttributeKey('DroverStatus', SearchAttributeType.KEYWORD),
  threadId: defineSearchAttributeKey('DroverThreadId', SearchAttributeType.KEYWORD),
  assistantId: defineSearchAttributeKey('DroverAssistantId', SearchAttributeType.KEYWORD),
  backend: defineSearchAttributeKey('DroverBackend', SearchAttributeType.KEYWORD),
  attemptId: defineSearchAttributeKey('DroverAttemptId', SearchAttributeType.KEYWORD),
  /** What kind of word the run waits for; unset while it waits for nobody's. */
  waiting: defineSearchAttributeKey('DroverWaiting', SearchAttributeType.KEYWORD),
};

export interface SearchAttributeDefinition {
  readonly name: string;
  readonly type: 'Keyword';
}

/** The same as names and kinds, as the Temporal CLI spells them. */
export const SEARCH_ATTRIBUTE_DEFINITIONS: readonly SearchAttributeDefinition[] = Object.values(
  SEARCH_ATTRIBUTES,
).map(({ name }) => ({ name, type: 'Keyword' }));
