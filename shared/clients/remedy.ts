/**
 * The one step to take when no token could be had. Under `func start` every sign-in of the developer is tried, and the
 * error is that of the whole chain (`AggregateAuthenticationError`, or a message that names the chain); in Azure one
 * managed identity is asked, by its client id.
 */
export function tokenRemedy(error: unknown): string {
  const { name = '', message = '' } = error instanceof Error ? error : {};
  if (/Aggregate/.test(name) || /ChainedTokenCredential|az login/.test(message)) {
    return 'sign in on this machine: az login';
  }
  return 'check AZURE_CLIENT_ID, and that this app has that identity';
}
