// Loaded first into a process that must find the vault of a test under its name.
const dns = require('node:dns');
const { lookup } = dns;
dns.lookup = (name, options, done = options) =>
  lookup(name.endsWith('.vault.azure.net') ? '127.0.0.1' : name, options === done ? {} : options, done);
