/** The application id of the Azure CLI, the same in every tenant. */
export const azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';
