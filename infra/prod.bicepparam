using 'main.bicep'

param name = 'lamp-prod'
param stage = readEnvironmentVariable('LAMPLIGHTER_STAGE', 'all')
param runtimeImageDigest = readEnvironmentVariable('LAMPLIGHTER_IMAGE_DIGEST', '')
// No default: without them nothing is deployed.
param authClientId = readEnvironmentVariable('LAMPLIGHTER_AUTH_CLIENT_ID')
param alertEmails = split(readEnvironmentVariable('LAMPLIGHTER_ALERT_EMAILS'), ',')
param callers = json(readEnvironmentVariable('LAMPLIGHTER_CALLERS', '[]'))
param callerGroups = json(readEnvironmentVariable('LAMPLIGHTER_CALLER_GROUPS', '[]'))
param callerClients = json(readEnvironmentVariable('LAMPLIGHTER_CALLER_CLIENTS', '["04b07795-8ddb-461a-bbee-02f9e1bf7b46"]'))
param keepActionGroup = bool(readEnvironmentVariable('LAMPLIGHTER_KEEP_ACTION_GROUP', 'false'))
param runbookUrl = readEnvironmentVariable('LAMPLIGHTER_RUNBOOK_URL', '')
param monthlyBudget = 300
param budgetStart = readEnvironmentVariable('LAMPLIGHTER_BUDGET_START', '2026-12-01')
param secretOfficers = json(readEnvironmentVariable('LAMPLIGHTER_SECRET_OFFICERS', '[]'))

param network = readEnvironmentVariable('LAMPLIGHTER_NETWORK', 'public')
param networkAddress = readEnvironmentVariable('LAMPLIGHTER_NETWORK_ADDRESS', '10.214.0.0/24')
param allowedAddresses = json(readEnvironmentVariable('LAMPLIGHTER_ALLOWED_ADDRESSES', '[]'))
param zones = readEnvironmentVariable('LAMPLIGHTER_ZONES', 'off')

param retentionDays = 400
param dataRedundancy = 'Standard_ZRS'
param lockData = true
param vaultSoftDeleteDays = 90
param registrySku = 'Standard'
param maxRunning = 50
param auditStorage = false
param tags = {
  application: 'lamplighter'
  environment: 'prod'
}
