// These statements come first, and nothing before them may fail: an app whose entry file throws before it has
// registered a function is deployed with none, and without an error. Everything else is in files of its own.
import { app } from '@azure/functions';

/** Claims what is due, repairs what has died, alerts. */
app.timer('tick', {
  schedule: '0 * * * * *',
  handler: async (_, context) => (await import('./handlers.ts')).tick(context),
});

/** Repairs and alerts, half a minute apart from the ticks: a tick that fails or takes long keeps nothing from it. */
app.timer('watch', {
  schedule: '30 * * * * *',
  handler: async (_, context) => (await import('./handlers.ts')).watch(context),
});

/** Starts one attempt for each message. */
app.storageQueue('launch', {
  queueName: 'launch',
  connection: 'LAMPLIGHTER_STORAGE',
  handler: async (message, context) => (await import('./handlers.ts')).launch(message, context),
});

/** Warns of secrets that expire, and forgets what is old. */
app.timer('daily', {
  schedule: '0 17 3 * * *',
  handler: async (_, context) => (await import('./handlers.ts')).daily(context),
});

/** `POST /api/tick`, `POST /api/finish`, `GET /health`. Entra authentication stands in front of it. */
app.http('http', {
  methods: ['GET', 'POST'],
  authLevel: 'anonymous',
  route: '{*path}',
  handler: async (request, context) => (await import('./handlers.ts')).http(request, context),
});
