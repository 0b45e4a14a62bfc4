import { request } from 'node:http';
import { createServer } from 'node:https';
import { expect, test } from 'vitest';
import { start, World } from '../support/shim/shim.ts';
import { selfSigned } from '../support/storage/certificate.ts';

test('storage over TLS is used when its certificate is trusted, and only then', async () => {
  const certificate = selfSigned();
  const world = await World.create();
  const { port } = new URL(world.container.url);
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (from, to) => {
    const on = request(
      { port, host: '127.0.0.1', path: from.url, method: from.method, headers: from.headers },
      (reply) => {
        to.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(to);
      },
    );
    from.pipe(on);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const secured = async () => {
    const spec = await world.spec('print("x" * 100000)', { through, deliverMs: 300 });
    const { started, heartbeat, log, result } = spec.blobs;
    const https = (url: string) => url.replace('http://', 'https://');
    spec.blobs = { started: https(started), heartbeat: https(heartbeat), log: https(log), result: https(result) };
    return spec;
  };
  const { result, log } = await world.run(await secured(), { SSL_CERT_FILE: certificate.certFile });
  expect(result.outcome).toBe('succeeded');
  expect(log.job.length).toBe(100_001);
  const refused = await start(await secured()).ended;
  expect(refused).toMatchObject({ code: 69, said: expect.stringMatching(/certificate verify failed/) });
  server.close();
  server.closeAllConnections();
  await certificate.remove();
});
