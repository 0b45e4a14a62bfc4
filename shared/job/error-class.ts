/** Why an attempt failed; decides whether trying again can help. */
export const errorClasses = [
  'network', // connection refused, reset, DNS, time-out of a request
  'throttled', // 429
  'server', // 5xx of another service
  'infrastructure', // ours: storage, bundle, start of the platform
  'lost', // began, then vanished without a result
  'timeout', // the job's own time limit
  'memory', // killed for lack of memory
  'killed', // ended by a signal that we did not send
  'application', // any other exception or exit code
  'syntax', // the script does not parse
  'module', // an import that is not installed, or a script that is not there
  'configuration', // a missing environment variable, secret, package manager, or trust in a certificate
  'authorization', // 401, 403
] as const;
export type ErrorClass = (typeof errorClasses)[number];
