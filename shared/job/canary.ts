/** The job of our own that shows whether jobs can run at all (infra/canary). No one owns it: its incidents are the service's. */
export const canaryJob = 'lamplighter-canary';
