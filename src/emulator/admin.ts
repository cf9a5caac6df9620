/** The emulator's own endpoints, apart from the wires: scripts, faults, quirks, journal, state. */
import type { FastifyInstance } from 'fastify';
import { checkFault, FaultError } from './faults.ts';
import { isQuirk, QUIRKS } from './quirks.ts';
import type { Quirk } from './quirks.ts';
import { checkScript, ScriptError } from './script.ts';
import { hasEnded } from './world.ts';
import { checkTarget, WebhookTargetError } from './webhooks.ts';
import type { World } from './world.ts';

export class QuirkError extends Error {
  readonly mistakes: readonly string[];

  constructor(unknown: readonly unknown[]) {
    super(`Unknown quirk(s): ${unknown.map(String).join(', ')}. There are: ${QUIRKS.join(', ')}.`);
    this.name = 'QuirkError';
    this.mistakes = unknown.map((name) => `unknown quirk ${String(name)}`);
  }
}

/** @throws {QuirkError} that names each unknown one. */
export function readQuirks(given: readonly unknown[]): ReadonlySet<Quirk> {
  const unknown = given.filter((name) => !isQuirk(name));
  if (unknown.length > 0) throw new QuirkError(unknown);
  return new Set(given.filter(isQuirk));
}

export interface LiveRun {
  readonly wire: 'assistants' | 'responses';
  readonly id: string;
  readonly status: string;
  readonly thread: string | null;
  readonly model: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly attempt: number;
}

/** Every run and response that has not ended. */
export function liveRuns(world: World): readonly LiveRun[] {
  const runs = [...world.threads.values()].flatMap((thread) => thread.runs);
  const shown = [
    ...runs.map((run) => ({
      wire: 'assistants' as const,
      subject: run,
      thread: run.threadId,
      attempt: run.position.attemptIndex,
    })),
    ...[...world.liveResponses].map((response) => ({
      wire: 'responses' as const,
      subject: response,
      thread: response.conversation?.object.id ?? null,
      attempt: response.start.attemptIndex,
    })),
  ];
  return shown
    .filter(({ subject }) => !hasEnded(subject.object.status))
    .map(({ wire, subject, thread, attempt }) => ({
      wire,
      id: subject.id,
      status: subject.object.status,
      thread,
      model: subject.object.model,
      metadata: { ...subject.object.metadata },
      attempt,
    }));
}

const ABOUT = `This is Drover's embedded provider: a scripted model behind two wires, in memory.

/v1/assistants, /v1/threads …        Assistants wire
/v1/responses, /v1/conversations …   Responses wire

GET    /_emulator/journal?after=SEQ  every request and every change of status
GET    /_emulator/state              runs that have not ended, scripts, faults, quirks
PUT    /_emulator/scripts/NAME       what the model NAME does
POST   /_emulator/faults             adds a fault
DELETE /_emulator/faults             clears all faults
PUT    /_emulator/quirks             replaces the quirks by those of a list
PUT    /_emulator/webhooks           {url, secret}: who is told of responses that have ended
DELETE /_emulator/webhooks           nobody is
`;

/** Adds `/_emulator/…` to the server. Mistakes are answered 400 with all of them named. */
export function addAdmin(app: FastifyInstance, world: World): void {
  app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send(ABOUT));
  app.register(
    (admin, _options, done) => {
      admin.setErrorHandler((error, _request, reply) => {
        const isMistake =
          error instanceof ScriptError ||
          error instanceof FaultError ||
          error instanceof QuirkError ||
          error instanceof WebhookTargetError;
        return reply.code(isMistake ? 400 : 500).send({
          error: {
            message: isMistake ? error.message : 'The emulator has a fault of its own.',
            mistakes: isMistake ? error.mistakes : [],
          },
        });
      });
      admin.get<{ Querystring: { after?: string } }>('/journal', (request) => {
        const entries = world.journal.entries(Number(request.query.after ?? 0) || 0);
        return { entries, last: entries.at(-1)?.seq ?? null };
      });
      admin.get('/state', () => ({
        live: liveRuns(world),
        scripts: [...world.scripts.keys()],
        faults: world.faults.list(),
        quirks: [...world.quirks],
      }));
      admin.put<{ Params: { name: string } }>('/scripts/:name', (request, reply) => {
        world.scripts.set(request.params.name, checkScript(request.params.name, request.body));
        return reply.code(204).send();
      });
      admin.post('/faults', (request, reply) => {
        world.faults.add(checkFault(request.body));
        return reply.code(204).send();
      });
      admin.delete('/faults', (_request, reply) => {
        world.faults.clear();
        return reply.code(204).send();
      });
      admin.put('/quirks', (request, reply) => {
        world.quirks = readQuirks(Array.isArray(request.body) ? request.body : [request.body]);
        return reply.code(204).send();
      });
      admin.put('/webhooks', (request, reply) => {
        world.webhooks.target = checkTarget(request.body);
        return reply.code(204).send();
      });
      admin.delete('/webhooks', (_request, reply) => {
        world.webhooks.target = null;
        return reply.code(204).send();
      });
      done();
    },
    { prefix: '/_emulator' },
  );
}
