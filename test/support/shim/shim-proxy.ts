import { createServer, type Server, type Socket } from 'node:net';

/** What the way to storage does: everything passes; no one answers; or requests arrive and their answers are lost. */
type Mode = 'open' | 'refuse' | 'deaf';

/** A way to a server on this machine that can be disturbed. */
export class Detour {
  mode: Mode = 'open';
  /** Called with the first line of each request that goes through; what it returns is the mode for that request. */
  decide: (request: string) => Mode = () => this.mode;
  readonly seen: string[] = [];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly target: number;

  private constructor(target: number) {
    this.target = target;
    this.server = createServer((client) => this.serve(client));
  }

  static async to(url: string): Promise<Detour> {
    const proxy = new Detour(Number(new URL(url).port));
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(client: Socket) {
    this.sockets.add(client);
    client.on('error', () => {});
    const { connect } = await import('node:net');
    const server = connect(this.target, '127.0.0.1');
    this.sockets.add(server);
    server.on('error', () => client.destroy());
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    let mode: Mode = 'open';
    client.on('data', (data) => {
      const line = /^[A-Z]+ \/\S+/.exec(data.toString('latin1'))?.[0];
      if (line) {
        this.seen.push(line);
        mode = this.decide(line);
      }
      if (mode === 'refuse') client.destroy();
      else server.write(data);
    });
    server.on('data', (data) => {
      if (mode === 'deaf') client.destroy();
      else client.write(data);
    });
  }
}
